/**
 * How every subject's verdict came to be what it is: points along its present epoch, for people to look at. Folds the
 * log a second time, when somebody looks, in steps that let exchanges through. Bounded: the longer the log, the wider
 * apart the points; where persona or severity changed there is always one.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Entry } from "../evidence/entry.ts";
import type { EvidenceStore } from "../evidence/store.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Interval, Persona, Severity, Verdict } from "../persona/verdict.ts";
import { createFold } from "./fold.ts";
import { type Compared, createThenAndNow, type ThenAndNow } from "./then-and-now.ts";

/** What a verdict said at one position; the windows are since the change where there was one, else since calibration. */
export interface TracePoint {
  position: number;
  /** Wall clock of the entry, milliseconds since 1970. */
  at: number;
  persona: Persona;
  severity: Severity;
  calibrating: boolean;
  harmRate: Interval;
  selfReport: Interval;
  /** Natural logarithms; minus infinity before the first datum. */
  evidence: Record<(typeof tracedEvidence)[number], number>;
}

export const tracedEvidence = ["harm", "says-aligned", "says-misaligned", "self-report-drift"] as const;

export interface VerdictTrace {
  /** Of the present epoch, oldest first; empty for a subject that is not in the log. */
  points: readonly TracePoint[];
  compared: Compared[];
}

export interface VerdictTraces {
  read(subject: string): Promise<VerdictTrace>;
  /** Ends the keeping up. */
  close(): void;
}

interface Options {
  store: Pick<EvidenceStore, "since">;
  clock: Pick<Clock, "after">;
  /** Points kept of one subject, about; half as many after a thinning. */
  most: number;
}

interface Trace {
  points: TracePoint[];
  /** Observations between two points. */
  stride: number;
  untilNext: number;
  thenAndNow: ThenAndNow;
  calibrating: boolean;
  changePoint: number | null;
}

const newTrace = (): Trace => ({
  points: [],
  stride: 1,
  untilNext: 1,
  thenAndNow: createThenAndNow(),
  calibrating: true,
  changePoint: null,
});

/** Now and then all that is new is folded, so that nobody who was just paged waits for a long log. */
const keepUpMs = 30_000;

/** Rows folded without letting anything else run: some milliseconds. */
const pageSize = 250;

const pointOf = (verdict: Verdict, at: number): TracePoint => {
  const { position, persona, severity, phase, harmRate, selfReport, evidence } = verdict;
  return {
    position,
    at,
    persona,
    severity,
    calibrating: phase === "calibrating",
    harmRate: harmRate.sinceChange ?? harmRate.sinceCalibration,
    selfReport: selfReport.sinceChange ?? selfReport.sinceCalibration,
    evidence: {
      harm: evidence.harm.logEvidence,
      "says-aligned": evidence["says-aligned"].logEvidence,
      "says-misaligned": evidence["says-misaligned"].logEvidence,
      "self-report-drift": evidence["self-report-drift"].logEvidence,
    },
  };
};

const turnsAt = (points: readonly TracePoint[], index: number): boolean => {
  const [before, here] = [points[index - 1], points[index]];
  return before?.persona !== here?.persona || before?.severity !== here?.severity;
};

/** Every second point, and those where something turned. */
const thinned = (points: readonly TracePoint[]): TracePoint[] =>
  points.filter((_, index) => index % 2 === 0 || turnsAt(points, index));

export const createVerdictTraces = ({ store, clock, most }: Options): VerdictTraces => {
  const fold = createFold();
  const traces = new Map<string, Trace>();
  let position = 0;
  let under: Promise<void> | null = null;

  const mark = (trace: Trace, { subject, at }: Entry): void => {
    const verdict = fold.verdict(subject);
    if (verdict === null) return;
    trace.untilNext = trace.stride;
    trace.calibrating = verdict.phase === "calibrating";
    trace.changePoint = verdict.changePoint;
    trace.points.push(pointOf(verdict, at));
    if (trace.points.length <= most) return;
    trace.points = thinned(trace.points);
    trace.stride *= 2;
  };

  const take = (entry: Entry): void => {
    const { subject, body } = entry;
    position = entry.position;
    if (body.kind === "decision") return;
    fold.add(entry);
    if (body.kind === "epoch") traces.set(subject, newTrace());
    const trace = traces.get(subject);
    if (trace === undefined) return;
    if (body.kind === "observation") {
      trace.untilNext -= 1;
      trace.thenAndNow.add(body, position, trace.calibrating);
    }
    // The ledger records a verdict wherever persona or severity changed.
    if (body.kind !== "observation" || trace.untilNext <= 0) mark(trace, entry);
  };

  const catchUp = async (): Promise<void> => {
    for (;;) {
      const page = await store.since(position, pageSize);
      for (const entry of page) take(entry);
      if (page.length < pageSize) return;
      await nextTurn();
    }
  };

  const caughtUp = (): Promise<void> => {
    under ??= catchUp().finally(() => {
      under = null;
    });
    return under;
  };

  const keepUp = (): void => {
    // A row that can't be read is told to whoever asks for the trace.
    void caughtUp().catch(() => {});
    cancel = clock.after(keepUpMs, keepUp);
  };
  let cancel = clock.after(0, keepUp);

  return {
    async read(subject) {
      await caughtUp();
      const trace = traces.get(subject);
      if (trace === undefined) return { points: [], compared: [] };
      return { points: trace.points, compared: trace.thenAndNow.read(trace.changePoint) };
    },
    close: () => cancel(),
  };
};
