/**
 * The one place that appends to the evidence log, and what the log says so far: the verdict of every subject. Rebuilt
 * from the log at the start, so a restart changes nothing. Never changes a verdict but through an entry. This one is for
 * a log that only this process writes; `shared-ledger.ts` has the one for many.
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
import type { Clock } from "../kernel/clock.ts";
import { method } from "../persona/persona.ts";
import type { DetectorSettings, Verdict } from "../persona/verdict.ts";
import { type DeclaredSubject, reasonForEpoch } from "./declared-subject.ts";
import type { ExperimentSummary } from "./experiment-summary.ts";
import { createLogView } from "./log-view.ts";
import { digestOf } from "./verdict-digest.ts";

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

export type Listener = (entry: Entry, told: { own: boolean }) => void;

/**
 * Whose evidence verdicts rest on: of the one process there is; of all replicas; or, while the shared log can't be
 * reached, of all replicas until then and of this one alone since.
 */
type Scope = "process" | "fleet" | "local";

export interface Ledger {
  record(subject: string, seen: Observation | Anchor): Entry;
  /** Enters what the policies decided on an exchange of a subject, or of none (null). No verdict changes by it. */
  decided(subject: string | null, decision: DecisionRecord): Entry;
  /**
   * `actor` is the id of a key, never a key. This and the next two are for all replicas: in a shared log they reject with
   * an `UnreachableLogError` where nobody else would learn of it.
   */
  acknowledge(subject: string, actor: string, note: string): Entry | Promise<Entry>;
  /** Enters what an operator did to the watch itself; no verdict changes by it. */
  operation(subject: string, actor: string, act: Operation["act"], note: string): Entry | Promise<Entry>;
  /** Begins a new baseline under the declared settings. */
  startEpoch(subject: string, reason: string): Entry | Promise<Entry>;
  /** Whether an operator paused the probes, as the log has it: a restart does not undo it. */
  probesPaused(subject: string): boolean;
  /** Wall clock of the last probe that was answered, by any replica, milliseconds since 1970; null before the first. */
  lastProbeAt(subject: string): number | null;
  verdict(subject: string): Verdict;
  /** Wall clock of the last entry that the verdict rests on, milliseconds since 1970. */
  verdictAt(subject: string): number;
  scope(): Scope;
  thresholds(subject: string): DetectorSettings["thresholds"];
  experiments(subject: string): ExperimentSummary;
  /**
   * Takes over what is declared from now on; a subject whose declared settings are not those of its epoch begins a new
   * one. Subjects that are not among them are no longer known here; their entries stay in the log. Resolves once the epochs
   * have begun, or, where others share the log and it can't be reached, without.
   */
  declare(subjects: readonly DeclaredSubject[]): Promise<void>;
  /**
   * Calls back after every entry but recorded verdicts, told whether this process wrote it; the returned function ends
   * it.
   */
  subscribe(listener: Listener): () => void;
}

/** Of a log that only this process writes: an entry has its place at once. */
export interface SoleLedger extends Ledger {
  acknowledge(subject: string, actor: string, note: string): Entry;
  operation(subject: string, actor: string, act: Operation["act"], note: string): Entry;
  startEpoch(subject: string, reason: string): Entry;
}

export interface LedgerParts<Store> {
  store: Store;
  clock: Pick<Clock, "now">;
  subjects: readonly DeclaredSubject[];
  /** Called whenever a verdict is recorded: persona or severity changed, or 200 observations went by. */
  onVerdict?(subject: string, verdict: Verdict): void;
  /** A listener or `onVerdict` threw; the ledger goes on. */
  onListenerError(error: unknown): void;
}

const pageSize = 1_000;

/** The declared subjects by id. @throws for a subject that is not declared */
export const declaredIn = (subjects: readonly DeclaredSubject[]) => {
  const known = new Map(subjects.map((subject) => [subject.id, subject]));
  return {
    all: subjects,
    has: (id: string): boolean => known.has(id),
    of(id: string): DeclaredSubject {
      const subject = known.get(id);
      if (subject === undefined) throw new Error(`no subject "${id}" in the configuration`);
      return subject;
    },
  };
};

/** What a recorded verdict says. */
export const verdictRecordOf = (verdict: Verdict) => {
  const { persona, severity, reasons } = verdict;
  return { kind: "verdict", persona, severity, digest: digestOf(verdict), reasons, method } as const;
};

export const epochOf = ({ detector, versions }: DeclaredSubject, reason: string): Epoch => ({
  kind: "epoch",
  reason,
  detector,
  versions,
  method,
});

/** Listeners, none of which can harm another or who calls them. */
export const createListeners = (failed: (error: unknown) => void) => {
  const listeners = new Set<Listener>();
  const guarded = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      failed(error);
    }
  };
  return {
    guarded,
    tell(entry: Entry, own: boolean): void {
      for (const listener of listeners) guarded(() => listener(entry, { own }));
    },
    subscribe(listener: Listener): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};

export const createLedger = (parts: LedgerParts<SoleStore>): SoleLedger => {
  const { store, clock, onVerdict } = parts;
  const view = createLogView();
  const listeners = createListeners(parts.onListenerError);
  let declared = declaredIn(parts.subjects);

  const verdictOf = (subject: string): Verdict => {
    const verdict = view.verdict(declared.of(subject).id);
    if (verdict === null) throw new Error(`subject "${subject}" has no epoch in the log`);
    return verdict;
  };

  const write = (subject: string, body: EntryBody): Entry => {
    const entry = store.append({ subject: declared.of(subject).id, at: clock.now(), body });
    view.enter(entry);
    return entry;
  };

  const append = (subject: string, body: Observation | Anchor | Acknowledgement | Operation | Epoch): Entry => {
    const entry = write(subject, body);
    if (view.verdictIsDue(subject)) {
      const verdict = verdictOf(subject);
      write(subject, verdictRecordOf(verdict));
      listeners.guarded(() => onVerdict?.(subject, verdict));
    }
    listeners.tell(entry, true);
    return entry;
  };

  const startEpoch = (subject: string, reason: string): Entry => append(subject, epochOf(declared.of(subject), reason));

  const startMissingEpochs = (): void => {
    for (const subject of declared.all) {
      const reason = reasonForEpoch(view.epoch(subject.id), subject);
      if (reason !== null) startEpoch(subject.id, reason);
    }
  };

  const catchUp = (): void => {
    for (let position = 0; ; ) {
      const page = store.since(position, pageSize, { kinds: [...rebuilding] });
      for (const entry of page) view.enter(entry);
      position = page.at(-1)?.position ?? position;
      if (page.length < pageSize) return;
    }
  };

  catchUp();
  startMissingEpochs();

  return {
    record: append,
    decided(subject, decision) {
      const entry = store.append({ subject: subject ?? noSubject, at: clock.now(), body: decision });
      listeners.tell(entry, true);
      return entry;
    },
    acknowledge: (subject, actor, note) => append(subject, { kind: "acknowledgement", actor, note }),
    operation: (subject, actor, act, note) => append(subject, { kind: "operation", actor, act, note }),
    startEpoch,
    probesPaused: (subject) => view.probesPaused(declared.of(subject).id),
    lastProbeAt: (subject) => view.lastProbeAt(declared.of(subject).id),
    verdict: verdictOf,
    verdictAt: (subject) => view.verdictAt(declared.of(subject).id),
    scope: () => "process",
    thresholds: (subject) => declared.of(subject).detector.thresholds,
    experiments: (subject) => view.experiments(declared.of(subject).id),
    async declare(subjects) {
      declared = declaredIn(subjects);
      startMissingEpochs();
    },
    subscribe: listeners.subscribe,
  };
};
