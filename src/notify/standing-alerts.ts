/**
 * Keeps what stands: compares every verdict with what operators were told last and tells the difference. Follows the
 * ledger with a short delay, so that a busy subject costs a look now and then and an exchange never waits. Ended alerts
 * are kept for a while, for receivers that must be told more than once.
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "../kernel/canonical-json.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Persona, Severity, Verdict } from "../persona/verdict.ts";
import type { Ledger } from "../watch/ledger.ts";
import type { CountedAlerts } from "./counted-alerts.ts";
import type { Notification, StandingAlert, VerdictSays } from "./notification.ts";
import { type DueAlert, personaAlerts } from "./persona-alerts.ts";
import type { ProcessAlerts } from "./process-alerts.ts";

interface Options {
  subjects: () => readonly string[];
  ledger: Pick<Ledger, "verdict" | "thresholds" | "subscribe">;
  process: ProcessAlerts;
  counted: CountedAlerts;
  /** Wall clock of the log's entry at a position; null where it can't be read. May reject. */
  entryAt(position: number): Promise<number | null>;
  /** Read for every alert anew. */
  settings(): {
    /** Labels of every alert, such as `job`. */
    labels: Readonly<Record<string, string>>;
    /** Put in front of the runbooks' path. */
    runbookBase: string;
  };
  tell(notification: Notification): void;
  clock: Clock;
  onError(error: unknown): void;
}

export interface StandingAlerts {
  /** What stands, and what ended within the last quarter of an hour. */
  all(): StandingAlert[];
  /** Looks for the first time; resolves when that is done. */
  start(): Promise<void>;
  /** Looks anew at all there is: subjects may have come or gone. What stood of those that are gone ends. */
  subjectsChanged(): Promise<void>;
  close(): void;
}

/** Of looks at one subject, at least. */
const settleMs = 200;
const processLookMs = 5_000;
/** As long as Prometheus keeps telling of what has ended. */
const endedKeptMs = 15 * 60_000;

const idOf = (...parts: unknown[]): string =>
  `evt_${createHash("sha256").update(canonicalJson(parts)).digest("hex").slice(0, 32)}`;

const saysOf = ({ persona, severity, position, reasons, evidence }: Verdict): VerdictSays => ({
  persona,
  severity,
  position,
  reasons,
  evidence,
});

export const createStandingAlerts = (options: Options): StandingAlerts => {
  const { subjects, ledger, process, counted, entryAt, settings, tell, clock, onError } = options;
  const standing = new Map<string, StandingAlert>();
  const told = new Map<string, { persona: Persona; severity: Severity }>();
  const dirty = new Set<string>();
  let cancelSettling: (() => void) | null = null;
  let cancelLook = (): void => {};
  let closed = false;

  const startOf = async (since: number | null, before: StandingAlert | undefined): Promise<number> => {
    const now = clock.now();
    const entered = since === null ? null : await entryAt(since).catch(() => null);
    const startsAt = Math.min(now, entered ?? now);
    // What ended and comes again without a new alarm in the log is another alert, with another beginning.
    return before?.endsAt != null && startsAt <= before.endsAt ? now : startsAt;
  };

  const alertOf = (due: DueAlert, subject: string | null, startsAt: number): StandingAlert => {
    const { labels, runbookBase } = settings();
    return {
      name: due.name,
      severity: due.severity,
      subject,
      labels: { ...labels, ...due.labels, alertname: due.name, severity: due.severity },
      annotations: {
        summary: due.summary,
        description: due.description,
        runbook_url: `${runbookBase}docs/runbooks.md#${due.name.toLowerCase()}`,
      },
      startsAt,
      endsAt: null,
    };
  };

  const tellOf = (kind: "firing" | "resolved", alert: StandingAlert, verdict: VerdictSays | null): void =>
    tell({
      id: idOf(kind, alert.labels, alert.startsAt),
      at: clock.now(),
      kind,
      subject: alert.subject,
      alert,
      verdict,
    });

  const compare = async (
    dueNow: readonly DueAlert[],
    subject: string | null,
    verdict: VerdictSays | null,
  ): Promise<void> => {
    const dueKeys = new Set<string>();
    for (const due of dueNow) {
      const key = canonicalJson([due.name, due.labels]);
      dueKeys.add(key);
      const before = standing.get(key);
      const isNew = before === undefined || before.endsAt !== null;
      const alert = alertOf(due, subject, isNew ? await startOf(due.since, before) : before.startsAt);
      if (closed) return;
      standing.set(key, alert);
      if (isNew) tellOf("firing", alert, verdict);
    }
    const now = clock.now();
    for (const [key, alert] of standing) {
      if (alert.endsAt !== null && now - alert.endsAt > endedKeptMs) standing.delete(key);
      if (alert.subject !== subject || alert.endsAt !== null || dueKeys.has(key)) continue;
      const ended = { ...alert, endsAt: now };
      standing.set(key, ended);
      tellOf("resolved", ended, verdict);
    }
  };

  const lookAt = async (subject: string): Promise<void> => {
    if (!subjects().includes(subject)) {
      told.delete(subject);
      await compare([], subject, null);
      return;
    }
    const verdict = ledger.verdict(subject);
    const says = saysOf(verdict);
    await compare(personaAlerts(subject, verdict, ledger.thresholds(subject)), subject, says);
    const { persona, severity, position } = says;
    const previous = told.get(subject);
    told.set(subject, { persona, severity });
    if (previous === undefined || (previous.persona === persona && previous.severity === severity)) return;
    const id = idOf("verdict", subject, persona, severity, position);
    tell({ id, at: clock.now(), kind: "verdict", subject, verdict: says, previous });
  };

  // One look after the other, so that what is told has an order.
  let looking: Promise<void> = Promise.resolve();
  const look = (work: () => Promise<void>): Promise<void> => {
    looking = looking.then(() => (closed ? undefined : work())).catch(onError);
    return looking;
  };

  const lookAtDirty = (): void => {
    cancelSettling = null;
    for (const subject of dirty) void look(() => lookAt(subject));
    dirty.clear();
  };

  const lookAtProcess = (): void => {
    void look(async () => compare([...process.due(), ...(await counted.due())], null, null));
    cancelLook = clock.after(processLookMs, lookAtProcess);
  };

  const unsubscribe = ledger.subscribe(({ subject, body }, { own }) => {
    if (body.kind === "decision") {
      if (own) process.decided(body);
      return;
    }
    dirty.add(subject);
    cancelSettling ??= clock.after(settleMs, lookAtDirty);
  });

  return {
    all: () => [...standing.values()],
    start() {
      lookAtProcess();
      for (const subject of subjects()) void look(() => lookAt(subject));
      return looking;
    },
    subjectsChanged() {
      for (const subject of new Set([...told.keys(), ...subjects()])) void look(() => lookAt(subject));
      return looking;
    },
    close() {
      closed = true;
      unsubscribe();
      cancelSettling?.();
      cancelLook();
    },
  };
};
