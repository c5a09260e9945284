/** Decodes stretches of a text that stand for other text: base64, hexadecimal, URL and HTML encoding, escapes of code. */
import type { Steps } from "../../kernel/steps.ts";
import { type MappedText, type Range, type Replacement, replaced } from "./mapped-text.ts";

export interface DecodingLimits {
  /** Most stretches that are decoded. */
  runs: number;
  /** Most UTF-16 units that all decoded text may have. */
  characters: number;
}

/** Of a long text, how much is decoded before others get their turn. */
const stretch = 16 * 1024;

/** In the order in which they are tried where several begin at one place. */
const encoded = new RegExp(
  [
    "(?<url>(?:%[0-9A-Fa-f]{2})+)",
    String.raw`(?<escape>(?:[\\%]u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}|\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2})+)`,
    "(?<entity>(?:&#[0-9]{1,12};?|&#[xX][0-9A-Fa-f]{1,12};?|&(?:amp|lt|gt|quot|apos|nbsp);)+)",
    String.raw`(?<![0-9A-Za-z])(?<hex>(?:0x)?[0-9A-Fa-f]{2}(?:[ :,\n-]{0,2}(?:0x|\\x)?[0-9A-Fa-f]{2}){7,})(?![0-9A-Za-z])`,
    // Lines of a mail, or one run; the end may be padded.
    String.raw`(?<![A-Za-z0-9+/_-])(?<base64>(?:(?:[A-Za-z0-9+/_-]{20,120}\r?\n){1,400}[A-Za-z0-9+/_-]{2,}|[A-Za-z0-9+/_-]{16,})={0,2})`,
  ].join("|"),
  "g",
);

/** A quick look before that: most texts have nothing of it. */
const mayBeEncoded =
  /%u?[0-9A-Fa-f]{2}|\\[ux0-3]|&#|&[a-z]{2,4};|[A-Za-z0-9+/_-]{16}|(?:[0-9A-Fa-f]{2}[ :,\n-]{1,2}){7}|0x[0-9A-Fa-f]{2}/;

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

/** Control characters, and what stands for bytes that are no UTF-8. */
const unprintable = /[^\P{Cc}\t\n\r]|\ufffd/gu;
/** More of it than this share was not meant as text: of random bytes it is more than half. */
const mostUnprintable = 0.1;
const meantAsText = (text: string): string | null =>
  text.length < 4 || (text.match(unprintable)?.length ?? 0) > mostUnprintable * text.length ? null : text;

const named: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};

const character = (code: number): string =>
  code <= 0x10_ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : "\ufffd";

const fromEntities = (run: string): string =>
  run.replace(/&(?:#([0-9]+)|#[xX]([0-9A-Fa-f]+)|([a-z]+));?/g, (_all, decimal, hex, name) => {
    if (decimal !== undefined) return character(Number(decimal));
    if (hex !== undefined) return character(Number.parseInt(hex, 16));
    return named[name] ?? "";
  });

/** Surrogates come as two escapes. */
const fromEscapes = (run: string): string =>
  run
    .replace(/\\u\{([0-9A-Fa-f]+)\}/g, (_all, hex) => character(Number.parseInt(hex, 16)))
    .replace(/[\\%]u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})|\\([0-3][0-7]{2})/g, (_all, long, short, octal) =>
      String.fromCharCode(octal === undefined ? Number.parseInt(long ?? short, 16) : Number.parseInt(octal, 8)),
    )
    .toWellFormed();

const bytesOfHex = (digits: string): Uint8Array => Buffer.from(digits, "hex");

const decode = ({ url, escape: escapes, entity, hex, base64 }: Record<string, string | undefined>): string | null => {
  if (url !== undefined) return textOf(bytesOfHex(url.replaceAll("%", "")));
  if (escapes !== undefined) return fromEscapes(escapes);
  if (entity !== undefined) return fromEntities(entity);
  if (hex !== undefined) return meantAsText(textOf(bytesOfHex(hex.replace(/0x|\\x|[ :,\n-]/g, ""))));
  if (base64 !== undefined) return meantAsText(textOf(Buffer.from(base64.replace(/\s/g, ""), "base64")));
  return null;
};

/** Stretches of base64 and hexadecimal of at least so many characters, whatever they stand for. */
export const encodedRuns = (text: string, atLeast: number): Range[] => {
  if (!mayBeEncoded.test(text)) return [];
  return [...text.matchAll(encoded)].flatMap(({ 0: run, index, groups }) =>
    run.length >= atLeast && (groups?.base64 ?? groups?.hex) !== undefined && decode(groups ?? {}) !== null
      ? [{ start: index, end: index + run.length }]
      : [],
  );
};

/** Gives the text with all such stretches decoded, once, and whether a limit left any as it was. */
export function* decoded(base: MappedText, limits: DecodingLimits): Steps<{ text: MappedText; capped: boolean }> {
  if (!mayBeEncoded.test(base.text)) return { text: base, capped: false };
  const replacements: Replacement[] = [];
  let characters = 0;
  let capped = false;
  let nextTurn = stretch;
  for (const { 0: run, index, groups } of base.text.matchAll(encoded)) {
    if (index >= nextTurn) {
      nextTurn = index + stretch;
      yield;
    }
    if (replacements.length >= limits.runs) {
      capped = true;
      break;
    }
    const text = decode(groups ?? {});
    if (text === null || text === run) continue;
    characters += text.length;
    if (characters > limits.characters) {
      capped = true;
      break;
    }
    replacements.push({ start: index, end: index + run.length, text });
  }
  return { text: yield* replaced(base, replacements), capped };
}
