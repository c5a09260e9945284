/**
 * Makes a text unable to leave its place in a model's template. Control tokens are broken up, lines that imitate the
 * template's own are quoted, and what is invisible to people is shown or dropped, so that it can neither hide from the
 * guard nor carry a control token apart.
 */

export interface TemplateMarks {
  /** Control tokens, wherever they stand. */
  tokens: readonly string[];
  /** Beginnings of the template's own lines. */
  lines?: readonly string[];
}

/** Tag characters spell ASCII that no person sees. */
const tagLetter = /[\u{e0020}-\u{e007e}]/gu;
/** Zero-width and direction marks, soft hyphens, variation selectors, fillers. */
const unseen = /\p{Default_Ignorable_Code_Point}/gu;
const lineEnd = /\r\n?|[\v\f\u0085\u2028\u2029]/g;
const control = /[^\P{Cc}\n\t]/gu;

const visible = (text: string): string =>
  text
    .toWellFormed()
    .replace(tagLetter, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) - 0xe0000))
    .replace(lineEnd, "\n")
    .replace(unseen, "")
    .replace(control, "");

const literally = (marks: readonly string[]): string =>
  marks
    .toSorted((a, b) => b.length - a.length)
    .map((mark) => mark.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"))
    .join("|");

/** Compiles once per template; the function it gives is for every text. */
export const createInert = ({ tokens, lines = [] }: TemplateMarks): ((text: string) => string) => {
  const token = new RegExp(literally(tokens), "giu");
  const line = lines.length === 0 ? null : new RegExp(`^(?=[^\\S\\n]*(?:${literally(lines)}))`, "gimu");
  return (text) => {
    // A blank after the first character; inserting joins nothing, so no new token can arise.
    const broken = visible(text).replace(token, (found) => `${found.slice(0, 1)} ${found.slice(1)}`);
    return line === null ? broken : broken.replace(line, "> ");
  };
};
