/**
 * What is kept of a judged text, by the operator's choice. The excerpt is redacted coarsely: whatever looks like a key,
 * an address or a number of some length goes, needed or not. It is for recognising an answer, not for reading it.
 */
export type ContentPolicy = "hash" | "excerpt" | "full";

const excerptLength = 200;
/** What redaction looks at; the word that the cut goes through is left out, so that no half of something stays. */
const read = (text: string): string => (text.length <= 4_000 ? text : text.slice(0, 4_000).replace(/\S*$/, ""));

/** Every pattern is one pass without nested repetition, so a hostile text can't make it slow. */
const redactions: readonly [pattern: RegExp, label: string][] = [
  [/[^\s@]{1,64}@[^\s@]{1,255}/g, "[address]"],
  [/\bhttps?:\/\/\S+/gi, "[link]"],
  [/\b[A-Za-z0-9_-]{24,}\b/g, "[token]"],
  [/\+?\d[\d ().-]{5,}\d/g, "[number]"],
];

const redact = (text: string): string =>
  redactions.reduce((redacted, [pattern, label]) => redacted.replace(pattern, label), text);

/** Null keeps only the hash. */
export const keptContent =
  (policy: ContentPolicy) =>
  (text: string): string | null => {
    switch (policy) {
      case "hash":
        return null;
      case "full":
        return text;
      case "excerpt": {
        const redacted = redact(read(text));
        return redacted.length > excerptLength ? `${redacted.slice(0, excerptLength)}…` : redacted;
      }
    }
  };
