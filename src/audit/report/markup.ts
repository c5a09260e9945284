/** Markup in which everything that is put in is text, unless it is markup itself: nothing that a model says is ever run. */
export interface Markup {
  readonly markup: string;
}

type Piece = string | number | Markup | readonly Markup[];

/** Control characters that no document may hold, and marks that turn the order of letters around. */
const unprintable = /(?![\t\n\r])\p{Cc}|\p{Bidi_Control}/gu;

const named: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Safe between tags and within quoted attributes. */
export const escaped = (text: string): string =>
  text.replace(unprintable, "\ufffd").replace(/[&<>"']/g, (sign) => named[sign] ?? sign);

const textOf = (piece: Piece): string => {
  if (typeof piece === "string") return escaped(piece);
  if (typeof piece === "number") return String(Number(piece.toFixed(2)));
  return "markup" in piece ? piece.markup : piece.map(({ markup }) => markup).join("\n");
};

/** Numbers are written with two decimals at most: they are places on a drawing. */
export const markup = (texts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup => ({
  markup: texts.reduce((all, text, index) => `${all}${textOf(pieces[index - 1] ?? "")}${text}`),
});

export const nothing: Markup = { markup: "" };
