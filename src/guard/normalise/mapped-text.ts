/** A text made from another by replacing stretches of it, which knows for each of its letters where that came from. */
import type { Steps } from "../../kernel/steps.ts";

export interface Range {
  /** UTF-16 units. */
  start: number;
  end: number;
}

export interface MappedText {
  readonly text: string;
  /** What of the text that it was made from a range of this one stands for: all of what was replaced, never a part. */
  origin(start: number, end: number): Range;
}

/** The `origin` of a text that was made from no other. */
export const itself: MappedText["origin"] = (start, end) => ({ start, end });

/** A stretch that another text stands for. */
export interface Replacement extends Range {
  text: string;
  /** Unit by unit: each unit of the new text stands for the one in its place. Both are of one length. */
  aligned?: boolean;
}

/** Of many replacements, how many are made before others get their turn. */
const mostAtOnce = 4_096;

/** The replacements must be in order and apart from each other. The same text where there are none. */
export function* replaced(base: MappedText, replacements: readonly Replacement[]): Steps<MappedText> {
  if (replacements.length === 0) return base;
  const pieces: string[] = [];
  /** Of each replacement: where it begins and ends in the new text. */
  const begins = new Int32Array(replacements.length);
  const ends = new Int32Array(replacements.length);
  let length = 0;
  let done = 0;
  for (const [index, { start, end, text }] of replacements.entries()) {
    pieces.push(base.text.slice(done, start), text);
    begins[index] = length + start - done;
    length += start - done + text.length;
    ends[index] = length;
    done = end;
    if (index % mostAtOnce === mostAtOnce - 1) yield;
  }
  pieces.push(base.text.slice(done));

  /** The first replacement that ends after this unit of the new text. */
  const after = (unit: number): number => {
    let [low, high] = [0, replacements.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) <= unit) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  /** Where one unit of the new text came from. */
  const unitOrigin = (unit: number): Range => {
    const index = after(unit);
    const here = replacements[index];
    const within = unit - (begins[index] ?? 0);
    if (here !== undefined && within >= 0) {
      return here.aligned ? { start: here.start + within, end: here.start + within + 1 } : here;
    }
    const before = replacements[index - 1];
    const start = before === undefined ? unit : before.end + unit - (ends[index - 1] ?? 0);
    return { start, end: start + 1 };
  };

  return {
    text: pieces.join(""),
    origin(start, end) {
      const { start: from } = unitOrigin(start);
      const to = end > start ? unitOrigin(end - 1).end : from;
      return base.origin(from, to);
    },
  };
}
