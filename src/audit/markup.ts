/** Text that is safe to put into a page: whatever is put in is escaped, unless it is markup itself. */
export interface Markup {
  readonly markup: string;
}

type Inserted = string | number | Markup | readonly Markup[];

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Control characters are in no page; they come from names that others chose. */
const escaped = (text: string): string =>
  text.replace(/\p{Cc}/gu, " ").replace(/[&<>"']/g, (character) => escapes[character] ?? "");

const inserted = (value: Inserted): string => {
  if (typeof value === "number") return String(Math.round(value * 100) / 100);
  if (typeof value === "string") return escaped(value);
  return "markup" in value ? value.markup : value.map(({ markup }) => markup).join("");
};

/** Numbers are rounded to hundredths: they are coordinates. Attributes must stand in double quotes. */
export const html = (strings: TemplateStringsArray, ...values: Inserted[]): Markup => ({
  markup: strings.map((text, index) => text + inserted(values[index] ?? "")).join(""),
});

/** Nothing at all. */
export const nothing: Markup = { markup: "" };
