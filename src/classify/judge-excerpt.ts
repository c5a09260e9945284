/** The part of a long text that is judged: its beginning and its end, as harm may be put where a reader has stopped reading. */

/** @param most UTF-16 code units that are kept; a line about what was left out comes on top */
export const excerptOf = (text: string, most: number): string => {
  if (text.length <= most) return text;
  const half = Math.floor(most / 2);
  return `${text.slice(0, half)}\n[... ${text.length - 2 * half} characters left out ...]\n${text.slice(-half)}`;
};
