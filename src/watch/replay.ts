/** Recomputes every verdict from the log alone and compares it with what was recorded. Trusts nothing but the rows. */
import type { Entry } from "../evidence/entry.ts";
import { method } from "../persona/persona.ts";
import type { Verdict } from "../persona/verdict.ts";
import { createFold } from "./fold.ts";
import { digestOf } from "./verdict-digest.ts";

interface Mismatch {
  position: number;
  subject: string;
  /** Digest in the log; of a verdict by an older method its persona and severity. */
  recorded: string;
  /** The same of what the rows before it give; null where they give no verdict at all. */
  computed: string | null;
}

type Recorded = Extract<Entry["body"], { kind: "verdict" }>;

/** A verdict of another method than this one's was worded otherwise: what it said must still hold. */
const compared = (recorded: Recorded, computed: Verdict | null): Pick<Mismatch, "recorded" | "computed"> => {
  if (recorded.method === method) {
    return { recorded: recorded.digest, computed: computed === null ? null : digestOf(computed) };
  }
  const told = ({ persona, severity }: { persona: string; severity: string }): string => `${persona}, ${severity}`;
  return { recorded: told(recorded), computed: computed === null ? null : told(computed) };
};

export interface Replay {
  /** The verdict of every subject at the end of the log. */
  subjects: Map<string, Verdict>;
  /** Recorded verdicts that were compared. */
  checked: number;
  mismatches: Mismatch[];
}

type Entries = Iterable<Entry> | AsyncIterable<Entry>;

/** Positions at which recorded verdicts rest on something else than all that came before them. */
const restsOf = async (entries: Entries): Promise<Set<number>> => {
  const rests = new Set<number>();
  for await (const { body } of entries) if (body.kind === "verdict" && body.after !== undefined) rests.add(body.after);
  return rests;
};

/** @param entries begins the whole log anew from position 1, oldest first, at every call: it is read twice */
export const replay = async (entries: () => Entries): Promise<Replay> => {
  const rests = await restsOf(entries());
  const fold = createFold();
  /** By position. */
  const verdicts = new Map<number, Verdict | null>();
  const mismatches: Mismatch[] = [];
  let checked = 0;
  for await (const entry of entries()) {
    const { position, subject, body } = entry;
    fold.add(entry);
    if (rests.has(position)) verdicts.set(position, fold.verdict(subject));
    if (body.kind !== "verdict") continue;
    checked += 1;
    const verdict = body.after === undefined ? fold.verdict(subject) : (verdicts.get(body.after) ?? null);
    const { recorded, computed } = compared(body, verdict);
    if (computed !== recorded) mismatches.push({ position, subject, recorded, computed });
  }
  const last = fold.subjects().flatMap((id): [string, Verdict][] => {
    const verdict = fold.verdict(id);
    return verdict === null ? [] : [[id, verdict]];
  });
  return { subjects: new Map(last), checked, mismatches };
};
