/** Takes off an answer what is dress: hidden reasoning, markdown, JSON, odd characters. Says nothing about what it means. */

const thoughtTags = "think|thinking|thought|thoughts|reasoning|reflection|scratchpad";
const thoughts = new RegExp(`<(${thoughtTags})\\b[^>]*>[\\s\\S]*?</\\1\\s*>`, "gi");
/** Some servers cut the opening tag off, and an answer that ran out of tokens never closes it. */
const unopened = new RegExp(`^[\\s\\S]*</(?:${thoughtTags})\\s*>`, "i");
const unclosed = new RegExp(`<(?:${thoughtTags})\\b[^>]*>[\\s\\S]*$`, "i");

/** Zero-width and direction marks, soft hyphens and the tag block: invisible, and able to split a word. */
const invisible = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]|[\u{e0000}-\u{e007f}]/gu;

const answerKeys = [
  "final_answer",
  "answer",
  "choice",
  "final",
  "selection",
  "selected",
  "pick",
  "rating",
  "score",
  "value",
  "number",
  "word",
  "response",
  "result",
  "prediction",
  "agreement",
];

const fromValue = (value: unknown): string | null => {
  if (typeof value === "string" || typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.length === 1 ? fromValue(value[0]) : null;
  if (typeof value !== "object" || value === null) return null;
  const fields = new Map(Object.entries(value).map(([key, inner]) => [key.toLowerCase().replaceAll("-", "_"), inner]));
  for (const key of answerKeys) {
    const found = fields.has(key) ? fromValue(fields.get(key)) : null;
    if (found !== null) return found;
  }
  return fields.size === 1 ? fromValue([...fields.values()][0]) : null;
};

/** The answer inside of a JSON reply, also one that is cut off or loosely written. */
const fromJson = (text: string): string | null => {
  if (!/^[[{"]/.test(text)) return null;
  try {
    return fromValue(JSON.parse(text));
  } catch {
    const loose =
      /["']?\b(?:answer|choice|selection|rating|score|value)["']?\s*:\s*(?:"([^"]*)"?|'([^']*)'?|(-?[\w.]+))/i;
    const found = loose.exec(text);
    return found?.[1] ?? found?.[2] ?? found?.[3] ?? null;
  }
};

/** The text as a reader of it would see it, without the reasoning that some models put before it. */
export const withoutThoughts = (text: string): string =>
  text.replace(thoughts, " ").replace(unopened, " ").replace(unclosed, " ").trim();

const withoutMarkdown = (text: string): string =>
  text
    .replace(/```[a-z]*\s*([\s\S]*?)(?:```|$)/gi, "$1")
    .replace(/\\boxed\{([^{}]*)\}/g, "$1")
    .replace(/\$+/g, "")
    .replace(/^[ \t]*(?:#{1,6}|[-*+•]|>+)[ \t]+/gm, "")
    .replace(/[*_`~]{1,3}(?=\S)|(?<=\S)[*_`~]{1,3}/g, "");

/**
 * Answers to probes are bounded in tokens; a longer one is not from a well-behaved server. Its end is read, where a
 * decision would stand, so that hostile lengths cost nothing.
 */
const longest = 8_000;

/** Plain text with its case and line breaks kept; empty when nothing was said outside of hidden reasoning. */
export const plainAnswer = (raw: string): string => {
  const text = withoutThoughts(raw.slice(-longest).normalize("NFKC").replace(invisible, ""))
    .replace(/[\u2018\u2019\u201b\u02bc\u00b4`](?=\w)/g, "'")
    .replace(/[\u201c\u201d\u201e\u00ab\u00bb]/g, '"')
    .replace(/[\u2010\u2011\u2212]/g, "-")
    .replace(/[\u2013\u2014]/g, " — ");
  const bare = withoutMarkdown(text).trim();
  return (fromJson(bare) ?? bare).trim();
};
