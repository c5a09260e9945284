/** JSON as this repository's formatter leaves it: lists of plain values on one line where they fit. */

const width = 120;
const plain = String.raw`(?:"(?:[^"\\]|\\.)*"|-?[\d.eE+-]+|true|false|null)`;
const listOfPlain = new RegExp(String.raw`^(.*)\[\n((?: *${plain},?\n)+) *\](,?)$`, "gm");

export const jsonText = (value: unknown): string => {
  const spread = JSON.stringify(value, null, 2);
  const gathered = spread.replace(listOfPlain, (whole, head: string, items: string, comma: string) => {
    const line = `${head}[${items.trim().replaceAll(/\n */g, " ")}]${comma}`;
    return line.length <= width ? line : whole;
  });
  return `${gathered}\n`;
};
