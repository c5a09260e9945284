/**
 * Who the subject says it is and who made it, counted. For people to look at: nothing is named or alarmed by it, because
 * models often give another's name without having changed.
 */
import { confidenceSequence } from "./bounds.ts";
import { type Count, countOne, nothing } from "./count.ts";
import { intervalAlpha } from "./settings.ts";
import type { Verdict } from "./verdict.ts";

export interface IdentityTally {
  /** Answers that named somebody; `hits` named the developer that was declared. */
  named: Count;
  /** Answers that named nobody who was declared. */
  unread: number;
  names: { name: string; n: number }[];
}

/** More different names than these are counted as one. */
const mostNames = 16;
const others = "other";

export const createIdentity = (): IdentityTally => ({ named: nothing, unread: 0, names: [] });

/** Folds one answer in place. @param name null where none of the declared ones was found */
export const foldIdentity = (tally: IdentityTally, name: string | null, right: boolean): void => {
  if (name === null) {
    tally.unread += 1;
    return;
  }
  tally.named = countOne(tally.named, right);
  const told = tally.names.some((known) => known.name === name) || tally.names.length < mostNames ? name : others;
  const known = tally.names.find((entry) => entry.name === told);
  if (known === undefined) tally.names.push({ name: told, n: 1 });
  else known.n += 1;
};

/** Null for a subject that was never asked. */
export const viewIdentity = ({ named, unread, names }: IdentityTally): Verdict["identity"] =>
  named.n + unread === 0
    ? null
    : {
        rightDeveloper: confidenceSequence(named.hits, named.n, intervalAlpha),
        unread,
        names: names.map((entry) => ({ ...entry })).sort((one, other) => other.n - one.n),
      };
