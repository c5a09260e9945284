/** Names a verdict by its content, so that an auditor who replays the log can compare. Nothing is rounded. */
import { createHash } from "node:crypto";
import type { Verdict } from "../persona/verdict.ts";

const numberText = (value: number): string =>
  // JSON has no infinities, and evidence before the first datum is minus infinity.
  Number.isFinite(value) ? JSON.stringify(value) : JSON.stringify(String(value));

/** JSON with sorted keys and no white space; fields that are undefined are left out. */
export const canonicalJson = (value: unknown): string => {
  if (typeof value === "number") return numberText(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`);
  return `{${fields.join(",")}}`;
};

/** SHA-256 of the verdict's canonical JSON, hex. */
export const digestOf = (verdict: Verdict): string => createHash("sha256").update(canonicalJson(verdict)).digest("hex");
