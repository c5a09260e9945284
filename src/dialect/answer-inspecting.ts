/** Inspects whole answers, one after the other: one that says the same as one before, its text aside, is not taken apart. */
import { endOfCast, type Mould, mouldOf, textAt, wordsOf } from "./byte-moulds.ts";
import type { Carrier, Inspection } from "./carriers.ts";
import { inspectAnswerInTurns, longestAtOnce } from "./inspection.ts";
import { createKnownPatterns, type KnownPatterns } from "./known-patterns.ts";

/** As `inspectAnswerInTurns` does. */
export type AnswerInspecting = (path: string, bytes: Buffer) => Inspection | Promise<Inspection>;

/** An answer with one text in it; the carrier is without it. */
interface Pattern {
  mould: Mould;
  carrier: Carrier;
}

/** What stands for bytes that are no UTF-8: what others read there is not known. */
const replacement = "\ufffd";

/** The text of an answer that is cast in the mould; null where it is another. */
const castText = (bytes: Buffer, mould: Mould): string | null => {
  const places: number[] = [];
  if (endOfCast(bytes, wordsOf(bytes), 0, mould, places) !== bytes.length) return null;
  const text = textAt(bytes, places[0] ?? 0, places[1] ?? 0);
  return text === null || text.includes(replacement) ? null : text;
};

/** The one text of an answer; null where there are more, or others. */
const onlyText = ({ carriers, coverage }: Inspection): Carrier | null => {
  const [carrier] = carriers;
  if (carrier === undefined || carriers.length > 1 || coverage !== "full") return null;
  return carrier.kind === "message" ? carrier : null;
};

const patternOf = (bytes: Buffer, carrier: Carrier): Pattern | null => {
  const mould = mouldOf(bytes.toString("utf8"), carrier);
  return mould === null ? null : { mould, carrier: { ...carrier, text: "" } };
};

export const createAnswerInspecting = (): AnswerInspecting => {
  const known = new Map<string, KnownPatterns<Pattern>>();

  const learn = (path: string, bytes: Buffer, found: Inspection): void => {
    const carrier = onlyText(found);
    if (carrier === null) return;
    const patterns = known.get(path) ?? createKnownPatterns();
    known.set(path, patterns);
    patterns.learn(() => patternOf(bytes, carrier));
  };

  const recall = (path: string, bytes: Buffer): Inspection | null => {
    const patterns = known.get(path);
    for (const pattern of patterns?.recent() ?? []) {
      const text = castText(bytes, pattern.mould);
      if (text === null) continue;
      patterns?.used(pattern);
      const { kind, role, choice, tool, at } = pattern.carrier;
      return { carriers: [{ kind, role, choice, tool, at, text }], coverage: "full", gaps: [] };
    }
    return null;
  };

  return (path, bytes) => {
    // What follows the path is the caller's own, and without number.
    if (bytes.length > longestAtOnce || path.includes("?")) return inspectAnswerInTurns(path, bytes);
    const recalled = recall(path, bytes);
    if (recalled !== null) return recalled;
    const found = inspectAnswerInTurns(path, bytes);
    if (!(found instanceof Promise)) learn(path, bytes, found);
    return found;
  };
};
