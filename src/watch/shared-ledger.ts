/**
 * The ledger of one replica of many that share an evidence log. Verdicts are the fold over what has its place in the log,
 * in that order, so every replica says the same at the same position. While the log can't be reached, the verdict goes on
 * from there with this replica's own entries alone, says so, and gives way to the log's as soon as that is back: nothing
 * that was seen is lost, and nothing is counted twice.
 */
import type { DecisionRecord, Entry, EntryBody } from "../evidence/entry.ts";
import { type EvidenceStore, type Placed, type SharedLog, UnreachableLogError } from "../evidence/store.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Verdict } from "../persona/verdict.ts";
import { type DeclaredSubject, reasonForEpoch } from "./declared-subject.ts";
import {
  createListeners,
  declaredIn,
  epochOf,
  type Ledger,
  type LedgerParts,
  noSubject,
  verdictRecordOf,
} from "./ledger.ts";
import { createLogView, type LogView } from "./log-view.ts";

export interface SharedStore extends EvidenceStore {
  shared: SharedLog;
}

export interface SharedLedger extends Ledger {
  /** Resolves when all that was in the log at the start is known here, or once `ms` went by without. */
  joined(ms: number): Promise<void>;
  /** Ends the following. */
  close(): void;
}

interface Parts extends LedgerParts<SharedStore> {
  clock: Clock;
  /** Something that is done beside exchanges failed, and will be tried again. */
  onError(error: unknown): void;
}

/** How often it is looked whether the log can be reached, and whether something is left to do there. */
const lookMs = 500;
/** An own entry that waits no longer than this for its place is no reason to speak of this replica alone. */
const promptMs = 2_000;
/** How long an operator waits for a change to have its place. */
const placePatienceMs = 5_000;
/** Entries of the log between two checkpoints. */
const checkpointEvery = 20_000;

/** Persona and severity, as one word to compare. */
const saying = ({ persona, severity }: Verdict): string => `${persona} ${severity}`;

interface Waiting {
  entry: Entry;
  /** Of the monotonic clock, milliseconds. */
  since: number;
}

const isSame = (one: Entry, other: Entry): boolean =>
  one.subject === other.subject && one.at === other.at && one.body.kind === other.body.kind;

export const createSharedLedger = (parts: Parts): SharedLedger => {
  const { store, clock, onVerdict, onError } = parts;
  const { shared } = store;
  const listeners = createListeners(parts.onListenerError);
  let declared = declaredIn(parts.subjects);
  /** Whose epochs have not been compared with what is declared. */
  let unchecked: readonly DeclaredSubject[] = declared.all;

  /** What has its place in the log, and of which position that is. */
  let placed = createLogView();
  let position = 0;
  let caughtUp = false;
  /** Own entries that do not have their place yet, oldest first; decisions are not among them. */
  let waiting: Waiting[] = [];
  /** What is said while the log can't be reached, or was not read yet. */
  let local: LogView | null = null;

  /** Verdicts of this replica that are on their way into the log, by subject. */
  const underWay = new Map<string, string>();
  /** Verdicts as they were told last, by subject. */
  const told = new Map<string, string>();
  /** Asked after every page, until they say that they are done. */
  const watching = new Set<() => boolean>();

  const failed = (error: unknown): void => {
    // That is known, and shown by the scope of every verdict.
    if (!(error instanceof UnreachableLogError)) onError(error);
  };

  /** As long as nothing is known of the log, baselines are learned as if they were new. */
  const firstView = (): LogView => {
    const view = createLogView();
    for (const subject of declared.all) {
      const body = epochOf(subject, "the shared log was not reached yet");
      view.enter({ position: 0, replica: "", subject: subject.id, at: clock.now(), body });
    }
    return view;
  };

  const beginLocal = (): void => {
    const view = caughtUp ? placed.copy() : firstView();
    for (const { entry } of waiting) view.enter(entry);
    local = view;
  };

  const endLocalWherePossible = (): void => {
    const oldest = waiting[0]?.since ?? Number.POSITIVE_INFINITY;
    if (caughtUp && shared.connected() && oldest > clock.monotonic() - promptMs) local = null;
  };

  const view = (): LogView => local ?? placed;

  const verdictOf = (subject: string): Verdict => {
    // A subject that has just been declared has no epoch in the log yet.
    const verdict = view().verdict(declared.of(subject).id) ?? firstView().verdict(subject);
    if (verdict === null) throw new Error(`nothing can be said of subject "${subject}"`);
    return verdict;
  };

  const tellVerdict = (subject: string): void => {
    const verdict = declared.has(subject) ? view().verdict(subject) : null;
    if (verdict === null) return;
    const now = saying(verdict);
    if (told.get(subject) !== now) listeners.guarded(() => onVerdict?.(subject, verdict));
    told.set(subject, now);
  };

  const append = (subject: string, body: EntryBody): Entry => {
    const entry = store.append({ subject: declared.of(subject).id, at: clock.now(), body });
    waiting.push({ entry, since: clock.monotonic() });
    if (local !== null) {
      local.enter(entry);
      tellVerdict(subject);
    }
    return entry;
  };

  /** Who wrote the entry by which a verdict changed records it, so mostly one replica does. */
  const recordIfDue = ({ subject, position: after }: Entry): void => {
    const verdict = declared.has(subject) && placed.verdictIsDue(subject) ? placed.verdict(subject) : null;
    if (verdict === null || underWay.get(subject) === saying(verdict)) return;
    underWay.set(subject, saying(verdict));
    append(subject, { ...verdictRecordOf(verdict), after });
  };

  const saveCheckpoint = (): void => {
    shared.saveCheckpoint({ position, text: placed.save() }).catch(failed);
  };

  /** An entry of this replica has its place: it waits no longer, nor do those before it, which were lost. */
  const arrived = (entry: Entry): void => {
    const index = waiting.findIndex((one) => isSame(one.entry, entry));
    if (index >= 0) waiting = waiting.slice(index + 1);
    if (entry.body.kind === "verdict") underWay.delete(entry.subject);
  };

  const askWatching = (): void => {
    for (const isDone of watching) if (isDone()) watching.delete(isDone);
  };

  const take = ({ entry, own }: Placed): void => {
    placed.enter(entry);
    position = entry.position;
    if (own) arrived(entry);
    // What was in the log before is no news.
    if (!caughtUp) return;
    if (own && entry.position % checkpointEvery === 0) saveCheckpoint();
    if (entry.body.kind === "verdict") return;
    if (own) recordIfDue(entry);
    if (declared.has(entry.subject) || entry.subject === noSubject) listeners.tell(entry, own);
  };

  const takePage = (page: readonly Placed[]): void => {
    for (const one of page) take(one);
    endLocalWherePossible();
    if (caughtUp) for (const subject of new Set(page.map(({ entry }) => entry.subject))) tellVerdict(subject);
    askWatching();
  };

  /** True once `isDone`, which is asked after every page; false after `ms`. */
  const reached = (isDone: () => boolean, ms: number): Promise<boolean> =>
    new Promise((resolve) => {
      const check = (): boolean => {
        if (!isDone()) return false;
        cancel();
        resolve(true);
        return true;
      };
      const cancel = clock.after(ms, () => {
        watching.delete(check);
        resolve(false);
      });
      if (!check()) watching.add(check);
    });

  /** Appends what all replicas must learn of, and gives it as it stands in the log. */
  const place = async (subject: string, body: EntryBody): Promise<Entry> => {
    if (!shared.connected()) {
      throw new UnreachableLogError(
        "the shared log can't be reached, so no other replica would learn of it: try again",
      );
    }
    const taken = append(subject, body);
    await store.flush();
    const [newest] = await store.latest(1, { subject, kinds: [body.kind] });
    const entry = newest !== undefined && isSame(newest, taken) ? newest : taken;
    // Who reads next is to see what this changed.
    await reached(() => position >= entry.position, placePatienceMs);
    return entry;
  };

  /** Of many replicas that start together, one begins an epoch. */
  const startEpochIfMissing = (subject: DeclaredSubject): Promise<void> =>
    shared.alone(`epoch ${subject.id}`, async () => {
      const [newest] = await store.latest(1, { subject: subject.id, kinds: ["epoch"] });
      const reason = reasonForEpoch(newest?.body.kind === "epoch" ? newest.body : null, subject);
      if (reason !== null) await place(subject.id, epochOf(subject, reason));
    });

  const startMissingEpochs = async (): Promise<void> => {
    const missing = unchecked.filter((subject) => reasonForEpoch(placed.epoch(subject.id), subject) !== null);
    const checked = unchecked;
    for (const subject of missing) await startEpochIfMissing(subject);
    if (unchecked === checked) unchecked = [];
  };

  let closed = false;
  let cancelLook = (): void => {};
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking || closed) return;
    looking = true;
    cancelLook();
    if (!shared.connected() && local === null) beginLocal();
    endLocalWherePossible();
    if (caughtUp && shared.connected() && unchecked.length > 0) await startMissingEpochs().catch(failed);
    askWatching();
    looking = false;
    if (!closed) cancelLook = clock.after(lookMs, look);
  };

  let endFollowing = (): void => {};
  const follow = (): void => {
    endFollowing = shared.follow(position, takePage, () => {
      caughtUp = true;
      void look();
    });
  };

  let cancelBegin = (): void => {};
  /** From the newest checkpoint on, or from the beginning. */
  const begin = async (): Promise<void> => {
    try {
      const checkpoint = await shared.checkpoint();
      if (closed) return;
      if (checkpoint !== null) {
        placed = createLogView(checkpoint.text);
        position = checkpoint.position;
      }
    } catch (error) {
      if (closed) return;
      failed(error);
      if (error instanceof UnreachableLogError) {
        cancelBegin = clock.after(lookMs, begin);
        return;
      }
    }
    follow();
  };

  beginLocal();
  void begin();
  void look();

  return {
    record: append,
    decided: (subject, decision: DecisionRecord) =>
      store.append({ subject: subject ?? noSubject, at: clock.now(), body: decision }),
    acknowledge: (subject, actor, note) => place(subject, { kind: "acknowledgement", actor, note }),
    operation: (subject, actor, act, note) => place(subject, { kind: "operation", actor, act, note }),
    startEpoch: (subject, reason) => place(subject, epochOf(declared.of(subject), reason)),
    probesPaused: (subject) => view().probesPaused(declared.of(subject).id),
    lastProbeAt: (subject) => view().lastProbeAt(declared.of(subject).id),
    verdict: verdictOf,
    verdictAt: (subject) => view().verdictAt(declared.of(subject).id),
    scope: () => (local === null ? "fleet" : "local"),
    thresholds: (subject) => declared.of(subject).detector.thresholds,
    experiments: (subject) => view().experiments(declared.of(subject).id),
    async declare(subjects) {
      declared = declaredIn(subjects);
      unchecked = declared.all;
      if (!caughtUp) beginLocal();
      void look();
      await reached(() => unchecked.length === 0 || !shared.connected(), placePatienceMs);
    },
    subscribe: listeners.subscribe,
    joined: async (ms) => {
      await reached(() => caughtUp && unchecked.length === 0, ms);
    },
    close() {
      closed = true;
      cancelLook();
      cancelBegin();
      endFollowing();
    },
  };
};
