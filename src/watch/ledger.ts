/**
 * The one place that appends to the evidence log, and what the log says so far: the verdict of every subject. Rebuilt
 * from the log at the start, so a restart changes nothing. Never changes a verdict but through an entry.
 */
import type {
  Acknowledgement,
  Anchor,
  DecisionRecord,
  Entry,
  EntryBody,
  Epoch,
  Observation,
  Operation,
} from "../evidence/entry.ts";
import type { SoleStore } from "../evidence/store.ts";
import { canonicalJson } from "../kernel/canonical-json.ts";
import type { Clock } from "../kernel/clock.ts";
import { method } from "../persona/persona.ts";
import type { DetectorSettings, Verdict } from "../persona/verdict.ts";
import { createExperimentSummary, type ExperimentSummary } from "./experiment-summary.ts";
import { createFold } from "./fold.ts";
import { digestOf } from "./verdict-digest.ts";

export interface LedgerSubject {
  id: string;
  detector: DetectorSettings;
  /** What is declared to be running: model, judge, probe set. A change of any of these starts an epoch. */
  versions: Record<string, string>;
}

/** As what the log has traffic that belongs to no subject. */
export const noSubject = "";

/** Kinds of entries from which the state of a subject is rebuilt: all but decisions, which are many and change none. */
const rebuilding = [
  "observation",
  "anchor",
  "epoch",
  "acknowledgement",
  "operation",
  "verdict",
] as const satisfies readonly EntryBody["kind"][];

export interface Ledger {
  record(subject: string, seen: Observation | Anchor): Entry;
  /** Enters what the policies decided on an exchange of a subject, or of none (null). No verdict changes by it. */
  decided(subject: string | null, decision: DecisionRecord): Entry;
  /** `actor` is the id of a key, never a key. */
  acknowledge(subject: string, actor: string, note: string): Entry;
  /** Enters what an operator did to the watch itself; no verdict changes by it. */
  operation(subject: string, actor: string, act: Operation["act"], note: string): Entry;
  /** Begins a new baseline under the declared settings. */
  startEpoch(subject: string, reason: string): Entry;
  /** Whether an operator paused the probes, as the log has it: a restart does not undo it. */
  probesPaused(subject: string): boolean;
  verdict(subject: string): Verdict;
  /** Wall clock of the last entry that the verdict rests on, milliseconds since 1970. */
  verdictAt(subject: string): number;
  thresholds(subject: string): DetectorSettings["thresholds"];
  experiments(subject: string): ExperimentSummary;
  /** Calls back after every entry but recorded verdicts; the returned function ends it. */
  subscribe(listener: (entry: Entry) => void): () => void;
}

interface LedgerParts {
  store: SoleStore;
  clock: Pick<Clock, "now">;
  subjects: readonly LedgerSubject[];
  /** Called whenever a verdict is recorded: persona or severity changed, or `verdictEvery` observations went by. */
  onVerdict?(subject: string, verdict: Verdict): void;
  /** A listener or `onVerdict` threw; the ledger goes on. */
  onListenerError(error: unknown): void;
}

/** Observations between two recorded verdicts when nothing changes. */
const verdictEvery = 200;
const pageSize = 1_000;

/** What is remembered of one subject's entries beside its persona state. */
interface Account {
  declared: LedgerSubject;
  epoch: Epoch | null;
  summary: ReturnType<typeof createExperimentSummary>;
  /** The verdict recorded last. */
  recorded: { persona: string; severity: string } | null;
  observationsSince: number;
  probesPaused: boolean;
  /** Wall clock of the last entry that is not a recorded verdict. */
  at: number;
}

const enter = (account: Account, { at, body }: Entry): void => {
  if (body.kind === "verdict") {
    account.recorded = body;
    account.observationsSince = 0;
    return;
  }
  account.at = at;
  account.summary.add(body);
  if (body.kind === "epoch") account.epoch = body;
  if (body.kind === "operation") account.probesPaused = body.act === "pause-probes";
  if (body.kind === "observation") account.observationsSince += 1;
};

/** Names of the fields in which two flat or nested records differ, as `calibration.harm`. */
const differences = (one: object, other: object, path = ""): string[] => {
  const before = new Map<string, unknown>(Object.entries(one));
  const after = new Map<string, unknown>(Object.entries(other));
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    if (canonicalJson(was) === canonicalJson(is)) return [];
    const bothRecords = typeof was === "object" && typeof is === "object" && was !== null && is !== null;
    if (bothRecords) return differences(was, is, `${path}${name}.`);
    return [`${path}${name} ${canonicalJson(was)} -> ${canonicalJson(is)}`];
  });
};

/** Why a new baseline is needed; null when the one in the log goes on. */
const reasonForEpoch = ({ epoch, declared }: Account): string | null => {
  if (epoch === null) return "first start";
  const changes = [
    ...differences(epoch.versions, declared.versions, "versions."),
    ...differences(epoch.detector, declared.detector, "detector."),
  ];
  return changes.length === 0 ? null : `declared settings changed: ${changes.join("; ")}`;
};

export const createLedger = ({ store, clock, subjects, onVerdict, onListenerError }: LedgerParts): Ledger => {
  const fold = createFold();
  const listeners = new Set<(entry: Entry) => void>();
  const accounts = new Map<string, Account>(
    subjects.map((declared) => [
      declared.id,
      {
        declared,
        epoch: null,
        summary: createExperimentSummary(),
        recorded: null,
        observationsSince: 0,
        probesPaused: false,
        at: 0,
      },
    ]),
  );

  const accountOf = (subject: string): Account => {
    const account = accounts.get(subject);
    if (account === undefined) throw new Error(`no subject "${subject}" in the configuration`);
    return account;
  };

  const verdictOf = (subject: string): Verdict => {
    accountOf(subject);
    const verdict = fold.verdict(subject);
    if (verdict === null) throw new Error(`subject "${subject}" has no epoch in the log`);
    return verdict;
  };

  const write = (subject: string, body: EntryBody): Entry => {
    const account = accountOf(subject);
    const entry = store.append({ subject, at: clock.now(), body });
    fold.add(entry);
    enter(account, entry);
    return entry;
  };

  const guarded = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      onListenerError(error);
    }
  };

  const tell = (entry: Entry): void => {
    for (const listener of listeners) guarded(() => listener(entry));
  };

  const recordVerdict = (subject: string, verdict: Verdict): void => {
    const { persona, severity, reasons } = verdict;
    write(subject, { kind: "verdict", persona, severity, digest: digestOf(verdict), reasons, method });
    guarded(() => onVerdict?.(subject, verdict));
  };

  const append = (subject: string, body: Observation | Anchor | Acknowledgement | Operation | Epoch): Entry => {
    const entry = write(subject, body);
    const { recorded, observationsSince } = accountOf(subject);
    const verdict = verdictOf(subject);
    const changed = recorded?.persona !== verdict.persona || recorded.severity !== verdict.severity;
    if (changed || observationsSince >= verdictEvery) recordVerdict(subject, verdict);
    tell(entry);
    return entry;
  };

  const startEpoch = (subject: string, reason: string): Entry => {
    const { detector, versions } = accountOf(subject).declared;
    return append(subject, { kind: "epoch", reason, detector, versions, method });
  };

  const catchUp = (): void => {
    let position = 0;
    for (;;) {
      const page = store.since(position, pageSize, { kinds: [...rebuilding] });
      for (const entry of page) {
        fold.add(entry);
        const account = accounts.get(entry.subject);
        if (account !== undefined) enter(account, entry);
        position = entry.position;
      }
      if (page.length < pageSize) return;
    }
  };

  catchUp();
  for (const [subject, account] of accounts) {
    const reason = reasonForEpoch(account);
    if (reason !== null) startEpoch(subject, reason);
  }

  return {
    record: append,
    decided(subject, decision) {
      const entry = store.append({ subject: subject ?? noSubject, at: clock.now(), body: decision });
      tell(entry);
      return entry;
    },
    acknowledge: (subject, actor, note) => append(subject, { kind: "acknowledgement", actor, note }),
    operation: (subject, actor, act, note) => append(subject, { kind: "operation", actor, act, note }),
    startEpoch,
    probesPaused: (subject) => accountOf(subject).probesPaused,
    verdict: verdictOf,
    verdictAt: (subject) => accountOf(subject).at,
    thresholds: (subject) => accountOf(subject).declared.detector.thresholds,
    experiments: (subject) => accountOf(subject).summary.read(),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
