/**
 * New values for what must not come twice: ids of requests, traces and end users. A new value has the shape of the old
 * one, so that it tells as little. Never gives the old value back.
 */
import type { Random } from "../kernel/random.ts";

interface Source {
  random: Random;
  /** Wall clock, milliseconds: some ids begin with the time. */
  now: number;
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-([1-8])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/gi;
const hex = "0123456789abcdef";
/** A shorter part with a digit in it is a version or a flag, not an id. */
const shortestId = 6;

const drawn = (from: string, random: Random): string => from[Math.floor(random() * from.length)] ?? "";

const hexDigits = (count: number, random: Random): string =>
  Array.from({ length: count }, () => drawn(hex, random)).join("");

const newUuid = (version: string, { random, now }: Source): string => {
  const digits = version === "7" ? now.toString(16).padStart(12, "0") + hexDigits(20, random) : hexDigits(32, random);
  const variant = drawn("89ab", random);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    version + digits.slice(13, 16),
    variant + digits.slice(17, 20),
    digits.slice(20),
  ].join("-");
};

const alphabetOf = (unit: string, isHex: boolean): string => {
  if (unit >= "0" && unit <= "9") return isHex ? hex : "0123456789";
  const letters = isHex ? hex : "abcdefghijklmnopqrstuvwxyz";
  return unit >= "a" ? letters : letters.toUpperCase();
};

const newId = (id: string, random: Random): string => {
  const isHex = /^(?:[0-9a-f]+|[0-9A-F]+)$/.test(id) && /[a-f]/i.test(id);
  const isUpper = isHex && /[A-F]/.test(id);
  const drawnLike = [...id].map((unit) => drawn(alphabetOf(unit, isHex), random)).join("");
  return isUpper ? drawnLike.toUpperCase() : drawnLike;
};

/** Null where nothing in it looks like an id, so that no other value of its shape can be told. */
export const freshLike = (value: string, source: Source): string | null => {
  // A UUID is put aside, so that its parts are not taken for ids of their own.
  const uuids: string[] = [];
  const aside = value.replace(uuid, (found, version: string) => {
    const fresh = newUuid(version, source);
    uuids.push(found === found.toUpperCase() ? fresh.toUpperCase() : fresh);
    return "\u0000";
  });
  const renewed = aside.replace(/[0-9A-Za-z]+/g, (part) =>
    part.length >= shortestId && /[0-9]/.test(part) ? newId(part, source.random) : part,
  );
  const fresh = renewed.replaceAll("\u0000", () => uuids.shift() ?? "");
  return fresh === value ? null : fresh;
};
