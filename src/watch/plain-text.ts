/** Plain data as text and back, also where numbers are not finite, which JSON has no word for. */

const words = new Map<number | string, string>([
  [Number.POSITIVE_INFINITY, "+inf"],
  [Number.NEGATIVE_INFINITY, "-inf"],
]);
const numbers = new Map([...words].map(([number, word]) => [word, number]));

/** @param value of records, arrays, strings, numbers (not NaN), booleans and null */
export const plainText = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => {
    const word = typeof part === "number" ? words.get(part) : undefined;
    return word === undefined ? part : { $: word };
  });

/** @throws for what is no JSON */
export const fromPlainText = (text: string): unknown =>
  JSON.parse(text, (_, part: unknown) => {
    if (typeof part !== "object" || part === null || !("$" in part)) return part;
    return numbers.get(String(part.$)) ?? part;
  });
