/** Recomputes every verdict from the log alone and compares it with what was recorded. Trusts nothing but the rows. */
import type { Entry } from "../evidence/entry.ts";
import type { Verdict } from "../persona/verdict.ts";
import { createFold } from "./fold.ts";
import { digestOf } from "./verdict-digest.ts";

interface Mismatch {
  position: number;
  subject: string;
  /** Digest in the log. */
  recorded: string;
  /** Digest of what the rows before it give; null where they give no verdict at all. */
  computed: string | null;
}

export interface Replay {
  /** The verdict of every subject at the end of the log. */
  subjects: Map<string, Verdict>;
  /** Recorded verdicts that were compared. */
  checked: number;
  mismatches: Mismatch[];
}

/** `entries` is the whole log from position 1, oldest first. */
export const replay = (entries: Iterable<Entry>): Replay => {
  const fold = createFold();
  const mismatches: Mismatch[] = [];
  let checked = 0;
  for (const entry of entries) {
    fold.add(entry);
    if (entry.body.kind !== "verdict") continue;
    checked += 1;
    const verdict = fold.verdict(entry.subject);
    const computed = verdict === null ? null : digestOf(verdict);
    if (computed !== entry.body.digest) {
      mismatches.push({ position: entry.position, subject: entry.subject, recorded: entry.body.digest, computed });
    }
  }
  const last = fold.subjects().flatMap((id): [string, Verdict][] => {
    const verdict = fold.verdict(id);
    return verdict === null ? [] : [[id, verdict]];
  });
  return { subjects: new Map(last), checked, mismatches };
};
