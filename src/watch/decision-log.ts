/**
 * Writes down what the policies decide: every decision is counted, and each in which a policy found something, was excepted
 * or had something that it could not read becomes an entry of the evidence log. Holds no text of an exchange and must never hold one up.
 */
import type { DecisionRecord, Entry } from "../evidence/entry.ts";
import { actions, type Decision, type Finding } from "../guard/guard.ts";
import type { Clock } from "../kernel/clock.ts";
import type { DecidedExchange, DecisionObserver } from "../relay/exchange.ts";

export interface DecisionMeter {
  decided(decision: Decision): void;
  /** It was counted, and not entered into the log, as too many came at once. */
  unrecorded(): void;
}

/** How often a policy was asked and what came of it, since the process began. */
export interface PolicyTally {
  asked: number;
  /** Decisions in which it found something, by what came of that. */
  enforced: number;
  would: number;
  error: number;
  /** Of `would`: those that would have been decided otherwise if it had been enforced. */
  wouldChange: number;
}

interface Parts {
  record(subject: string | null, decision: DecisionRecord): Entry;
  meter: DecisionMeter;
  clock: Pick<Clock, "monotonic">;
  /** What was found later could not be recorded. */
  onError(error: unknown): void;
  /** Most entries in a minute: whoever can make a policy match must not be able to fill the disk. */
  mostPerMinute?: number;
  /** Of these, most in which nothing was found: images are ordinary, and must leave room for what is not. */
  mostQuietPerMinute?: number;
}

export interface DecisionLog extends DecisionObserver {
  /** Zeros for a policy that was not asked yet. */
  tally(policy: string): PolicyTally;
}

const minuteMs = 60_000;
/** Kinds of findings kept of one decision. */
const mostFindings = 64;

/** Findings that differ only in their place are told once, with the first place and their number. */
const gathered = (findings: readonly Finding[]): DecisionRecord["findings"] => {
  const kinds = new Map<string, DecisionRecord["findings"][number]>();
  for (const { policy, version, action, result, matcher, where } of findings) {
    const key = `${policy} ${result} ${matcher}`;
    const known = kinds.get(key);
    if (known !== undefined) known.count += 1;
    else if (kinds.size < mostFindings)
      kinds.set(key, { policy, version, action, result, matcher, where: where?.slice(0, 200) ?? null, count: 1 });
  }
  return [...kinds.values()];
};

/** With what models found when nobody waited any more: that can flag an exchange and do nothing else to it. */
const withLater = (decision: Decision, found: readonly Finding[]): Decision => {
  const flag = found.find(({ result, action }) => result === "enforced" && action === "flag");
  const findings = [...decision.findings, ...found];
  return decision.action === "allow" && flag !== undefined
    ? { ...decision, findings, action: "flag", policy: flag.policy }
    : { ...decision, findings };
};

const noTally = (): PolicyTally => ({ asked: 0, enforced: 0, would: 0, error: 0, wouldChange: 0 });

/** Nothing was found, but not all was looked at. */
const isQuiet = ({ findings, action }: Decision): boolean =>
  action === "allow" && findings.every(({ result }) => result === "bypass");

export const createDecisionLog = ({
  record,
  meter,
  clock,
  onError,
  mostPerMinute = 1_000,
  mostQuietPerMinute = 100,
}: Parts): DecisionLog => {
  const tallies = new Map<string, PolicyTally>();
  let minute = { began: Number.NEGATIVE_INFINITY, entries: 0, quiet: 0 };

  const tallyOf = (policy: string): PolicyTally => {
    const known = tallies.get(policy) ?? noTally();
    tallies.set(policy, known);
    return known;
  };

  const count = ({ asked, findings, action }: Decision): void => {
    for (const policy of asked) tallyOf(policy).asked += 1;
    if (findings.length === 0) return;
    // One policy may find much in one exchange; it is one exchange all the same.
    const seen = new Map<string, Finding>();
    for (const finding of findings) seen.set(finding.policy, finding);
    for (const { policy, result, action: wanted } of seen.values()) {
      const tally = tallyOf(policy);
      if (result === "bypass") continue;
      tally[result] += 1;
      if (result === "would" && actions.indexOf(wanted) > actions.indexOf(action)) tally.wouldChange += 1;
    }
  };

  const mayRecord = (decision: Decision): boolean => {
    const now = clock.monotonic();
    if (now - minute.began >= minuteMs) minute = { began: now, entries: 0, quiet: 0 };
    if (isQuiet(decision)) {
      minute.quiet += 1;
      if (minute.quiet > mostQuietPerMinute) return false;
    }
    minute.entries += 1;
    return minute.entries <= mostPerMinute;
  };

  const settle = ({ id: exchange, subject, route }: DecidedExchange, decision: Decision): void => {
    meter.decided(decision);
    count(decision);
    const { id, stage, action, policy, coverage, gaps, unavailable, findings } = decision;
    if (findings.length === 0 && gaps.length === 0 && action === "allow") return;
    if (!mayRecord(decision)) {
      meter.unrecorded();
      return;
    }
    record(subject, {
      kind: "decision",
      id,
      exchange,
      route,
      stage,
      action,
      policy,
      coverage,
      gaps: [...gaps],
      unavailable,
      findings: gathered(findings),
    });
  };

  return {
    decided(exchange, decision) {
      const { later } = decision;
      if (later === undefined) {
        settle(exchange, decision);
        return;
      }
      later.then((found) => settle(exchange, withLater(decision, found))).catch(onError);
    },
    tally: (policy) => ({ ...(tallies.get(policy) ?? noTally()) }),
  };
};
