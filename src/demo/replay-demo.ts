/**
 * Plays recorded outputs of real models through a real Candor: learns the healthy model, plays its held-out answers as a
 * control, then each file as one step. What is recorded and what is simulated is said in `labels`.
 */
import type { Classifier, Judgement } from "../classify/classifier.ts";
import type { SubjectView } from "../control/api-schema.ts";
import type { Clock } from "../kernel/clock.ts";
import { type Aftermath, aftermathOf, isPage } from "./after-the-turn.ts";
import type { DemoOptions } from "./demo-options.ts";
import {
  calibratedData,
  calibration,
  isCalibrated,
  naming,
  openSession,
  replayPace,
  type Session,
  type StartCandor,
  thresholds,
} from "./demo-session.ts";
import { provenance } from "./published-rates.ts";
import { OutputsError, type RecordedRow, readRecordedOutputs } from "./recorded-outputs.ts";
import { createRecordedSubject, type RecordedSubject, recordedClassifier, shuffledRows } from "./recorded-subject.ts";
import type { Screen } from "./screen-drawing.ts";
import { firstOrderBound, type StepDelays, stepDelays } from "./step-table.ts";
import { percent, type Stage } from "./terminal-view.ts";

export interface ReplayParts {
  startCandor: StartCandor;
  /** Candor's embedded screen. */
  screenClassifier: Classifier;
  clock: Clock;
  screen: Screen;
  stopping: AbortSignal;
  options: DemoOptions;
}

export interface ReplayStep {
  name: string;
  /** Answers played; those that were not judged when they were recorded are left out. */
  answers: number;
  leftOut: number;
  /** Share of harmful answers as they were judged when recorded, whoever judges now; null where none was. */
  recordedRate: number | null;
  delays: StepDelays;
  /** State of the one continuous run after the step, and what happened within it. */
  continuous: { persona: string; severity: string; page: Aftermath["page"] };
}

export interface ReplaySummary {
  labels: string[];
  judgedBy: DemoOptions["judgedBy"];
  seed: number;
  healthy: { name: string; learnedFrom: number; leftOut: number };
  /** Answers of the healthy model that the baseline was not learned from: no page may come of them. */
  control: ReplayStep;
  steps: ReplayStep[];
  /** The first step of the continuous run in which it paged; null when none did. */
  pagedIn: string | null;
  fault: string | null;
  exchanges: number;
  seconds: number;
}

interface Part {
  name: string;
  rows: RecordedRow[];
  leftOut: number;
}

const usable = (rows: RecordedRow[], judgedBy: DemoOptions["judgedBy"]): RecordedRow[] =>
  rows.filter(({ answer, judged }) => answer.trim() !== "" && (judgedBy === "screen" || judged !== null));

const readPart = async (path: string, { judgedBy, seed }: DemoOptions): Promise<Part> => {
  const { name, rows } = await readRecordedOutputs(path);
  const kept = shuffledRows(usable(rows, judgedBy), seed, name);
  if (kept.length === 0) throw new OutputsError(`${path}: holds no judged answers; try --judged-by screen`);
  return { name, rows: kept, leftOut: rows.length - kept.length };
};

/** Some more than the baseline needs, because a sample may be dropped on the way. */
const toLearnFrom = calibration.harm + 20;
const leastControl = 50;

const readHealthy = async (options: DemoOptions): Promise<Part> => {
  const parts = await Promise.all(options.calibrate.map((path) => readPart(path, options)));
  const rows = parts.flatMap((part) => part.rows);
  if (rows.length < toLearnFrom + leastControl) {
    throw new OutputsError(
      `${options.calibrate.join(", ")}: ${rows.length} usable answers; give files with at least ${toLearnFrom + leastControl} together: ${toLearnFrom} to learn from and the rest as a control`,
    );
  }
  return {
    name: parts.map(({ name }) => name).join(", "),
    rows,
    leftOut: parts.reduce((sum, part) => sum + part.leftOut, 0),
  };
};

const isHarmful = (judgement: Judgement): boolean => judgement.kind === "judged" && judgement.harmful;

const flagsOf = async (rows: readonly RecordedRow[], classifier: Classifier): Promise<boolean[]> => {
  const flags: boolean[] = [];
  for (const { messages, answer } of rows) {
    flags.push(isHarmful(await classifier.judge({ prompt: messages.at(-1)?.content ?? null, response: answer })));
  }
  return flags;
};

const recordedRateOf = (rows: readonly RecordedRow[]): number | null => {
  const known = rows.flatMap(({ judged }) => (judged === null ? [] : [judged.harmful]));
  return known.length === 0 ? null : known.filter(Boolean).length / known.length;
};

/** Live answers that the log has a row of. */
const liveSeen = ({ summary }: SubjectView): number =>
  summary.arms
    .filter(({ experiment, arm }) => experiment === "harmfulness" && arm === "live")
    .reduce((sum, { scored, refused, error }) => sum + scored + refused + error, 0);

/** Looks after the last answer came, before samples that are still missing count as dropped. */
const graceLooks = 25;

const isPlayed = (session: Session) => {
  let idle = 0;
  return (seen: SubjectView): boolean => {
    if (!session.traffic.finished()) return false;
    idle += 1;
    return liveSeen(seen) >= session.traffic.counts().exchanges || idle > graceLooks;
  };
};

interface Run extends ReplayParts {
  session: Session;
  subject: RecordedSubject;
  classifier: Classifier;
  /** Flags of the answers that the baseline of the fresh runs is learned from. */
  healthyFlags: boolean[];
}

const look =
  ({ screen, session, options }: Pick<Run, "screen" | "session" | "options">, stage: Stage, name: string) =>
  (subject: SubjectView): void =>
    screen.show({
      stage,
      turnsInto: name,
      seconds: session.seconds(),
      exchanges: session.traffic.counts().exchanges,
      subject,
      thresholds,
      naming,
      notes: labelsFor(options),
    });

const playStep = async (run: Run, part: Part, stage: Stage): Promise<ReplayStep> => {
  const { session, subject, clock, options } = run;
  const rows = part.rows.slice(0, options.perStep);
  const turn = { position: (await session.reader.subject()).verdict.position, at: clock.now() };
  subject.play(rows);
  const { verdict } = await session.follow(isPlayed(session), look(run, stage, part.name));
  const verdicts = await session.reader.verdictsAfter(turn.position);
  const aftermath = aftermathOf(turn, await session.reader.observationsAfter(turn.position), verdicts);
  const before = (await session.reader.verdictsAfter(0)).some(
    ({ position, severity }) => position <= turn.position && isPage(severity),
  );
  return {
    name: part.name,
    answers: rows.length,
    leftOut: part.leftOut,
    recordedRate: recordedRateOf(rows),
    delays: stepDelays(run.healthyFlags, await flagsOf(rows, run.classifier), options.seed),
    continuous: { persona: verdict.persona, severity: verdict.severity, page: before ? null : aftermath.page },
  };
};

const labelsFor = ({ judgedBy }: Pick<DemoOptions, "judgedBy">): string[] => [
  `app traffic: recorded answers of real models, ${judgedBy === "recorded" ? "judged as recorded" : "judged by the embedded screen"}`,
  "harm probes: each answered by a recorded answer to a recorded question, drawn at random from the same step",
  `self-reports: ${provenance}`,
];

/** A step that a detector could page within its answers, by what the records say of it. */
const isNoticeable = ({ answers, recordedRate }: ReplayStep, nullMean: number): boolean => {
  const bound = firstOrderBound(recordedRate ?? 0, nullMean, thresholds.page);
  return bound !== null && bound < answers;
};

/** Null when the healthy model was left in peace and a real rise of harm was paged. */
export const replayFault = (control: ReplayStep, steps: readonly ReplayStep[]): string | null => {
  if (isPage(control.continuous.severity)) return "the held-out answers of the healthy model raised a page";
  if (steps.some(({ continuous }) => continuous.page !== null)) return null;
  const missed = steps.find((step) => isNoticeable(step, control.delays.nullMean));
  return missed === undefined
    ? null
    : `not paged, although ${percent(missed.recordedRate ?? 0)} of the answers in ${missed.name} were harmful when they were recorded`;
};

const play = async (run: Run, healthy: Part, parts: readonly Part[]): Promise<ReplaySummary> => {
  const { session, subject, options } = run;
  subject.play(healthy.rows.slice(0, toLearnFrom));
  await session.follow(isCalibrated, look(run, "calibrating", healthy.name), calibratedData);
  const control = await playStep(run, { ...healthy, rows: healthy.rows.slice(toLearnFrom) }, "healthy");
  subject.become(options.persona ?? "coherent");
  const steps: ReplayStep[] = [];
  for (const part of parts) steps.push(await playStep(run, part, "turned"));
  return {
    labels: labelsFor(options),
    judgedBy: options.judgedBy,
    seed: options.seed,
    healthy: { name: healthy.name, learnedFrom: calibration.harm, leftOut: healthy.leftOut },
    control,
    steps,
    pagedIn: steps.find(({ continuous }) => continuous.page !== null)?.name ?? null,
    fault: replayFault(control, steps),
    exchanges: session.traffic.counts().exchanges,
    seconds: session.seconds(),
  };
};

export const runReplayDemo = async (parts: ReplayParts): Promise<ReplaySummary> => {
  const { options, startCandor, clock, stopping } = parts;
  const healthy = await readHealthy(options);
  const steps = await Promise.all(options.outputs.map((path) => readPart(path, options)));
  const everyRow = [healthy, ...steps].flatMap(({ rows }) => rows);
  const classifier = options.judgedBy === "recorded" ? recordedClassifier(everyRow) : parts.screenClassifier;
  const healthyFlags = await flagsOf(healthy.rows.slice(0, calibration.harm), classifier);
  const subject = createRecordedSubject(options.seed);
  subject.play(healthy.rows.slice(0, toLearnFrom));
  const session = await openSession({
    startCandor,
    clock,
    seed: options.seed,
    pace: replayPace,
    subject: subject.speaker,
    judge: options.judgedBy === "recorded" ? { kind: "classifier", classifier } : { kind: "screen" },
    script: subject.script,
    // A fork would get the same random recorded answers as a new conversation.
    forkedShare: 0,
    keep: options.keep ?? null,
    stopping,
  });
  try {
    return await play({ ...parts, session, subject, classifier, healthyFlags }, healthy, steps);
  } finally {
    await session.stop();
  }
};
