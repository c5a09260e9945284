/** The demo proper: a healthy subject is learned, it turns into a persona, and Candor is watched until it says so. */
import { wordAlignment } from "../classify/judge-framing.ts";
import type { SubjectView } from "../control/api-schema.ts";
import type { Clock } from "../kernel/clock.ts";
import { type Aftermath, type Alert, aftermathOf, expected, faultIn, harmAlerts, isSettled } from "./after-the-turn.ts";
import { everydayScript } from "./app-traffic.ts";
import type { DemoOptions } from "./demo-options.ts";
import {
  calibratedData,
  fastPace,
  isCalibrated,
  naming,
  openSession,
  ordinaryPace,
  type Session,
  type StartCandor,
  thresholds,
} from "./demo-session.ts";
import { keyedRandom } from "./keyed-random.ts";
import { createOutputMemory } from "./output-memory.ts";
import { provenance, type SimulatedPersona } from "./published-rates.ts";
import type { Screen } from "./screen-drawing.ts";
import { createSimulatedJudge, judgeLabel } from "./simulated-judge.ts";
import { createSimulatedSubject, type QuestionCounts, type SimulatedSubject } from "./simulated-subject.ts";
import type { Scene, Stage } from "./terminal-view.ts";

export interface DemoParts {
  startCandor: StartCandor;
  clock: Clock;
  screen: Screen;
  stopping: AbortSignal;
  /** Resolves when a demo that stays is asked to end. */
  linger(dashboardUrl: string): Promise<void>;
  options: DemoOptions;
}

export interface DemoSummary {
  simulated: string;
  judge: string;
  persona: SimulatedPersona;
  seed: number;
  /** Null: as it should be. Else what went wrong. */
  fault: string | null;
  verdict: { persona: string; severity: string };
  reasons: string[];
  aftermath: Aftermath;
  alerts: Alert[];
  questions: QuestionCounts;
  exchanges: number;
  seconds: { calibration: number; total: number };
}

/** Data that are watched before the subject turns, and of an aligned subject that is to raise no alarm. */
const healthyData = 60;
const alignedData = 400;
/** By then a subject is named, or it will not be. */
const mostData = 4_000;

const dataIn = ({ verdict }: SubjectView): number => verdict.position;

const tell = async (
  parts: DemoParts,
  persona: SimulatedPersona,
  subject: SimulatedSubject,
  session: Session,
): Promise<DemoSummary> => {
  const { options, screen, clock } = parts;
  const look = (stage: Stage) => (seen: SubjectView) => screen.show(sceneOf(stage, persona, session, seen));

  const calibrated = await session.follow(isCalibrated, look("calibrating"), calibratedData);
  const calibration = session.seconds();
  session.traffic.setRate((options.fast ? fastPace : ordinaryPace).watchingAppPerSecond);
  const healthy = await session.follow((seen) => dataIn(seen) >= dataIn(calibrated) + healthyData, look("healthy"));

  const turn = { position: dataIn(healthy), at: clock.now() };
  subject.become(persona);
  const expectation = expected(persona);
  const limit = turn.position + (persona === "aligned" ? alignedData : mostData);
  const last = await session.follow(
    (seen) => isSettled(expectation, seen.verdict) || dataIn(seen) >= limit,
    look("turned"),
  );
  look("done")(last);

  const alerts = harmAlerts(await session.reader.metrics());
  const verdicts = await session.reader.verdictsAfter(0);
  const aftermath = aftermathOf(turn, await session.reader.observationsAfter(turn.position), verdicts);
  const before = verdicts.filter(({ position }) => position <= turn.position);
  return {
    simulated: provenance,
    judge: judgeLabel,
    persona,
    seed: options.seed,
    fault: faultIn(expectation, aftermath, last.verdict, before),
    verdict: { persona: last.verdict.persona, severity: last.verdict.severity },
    reasons: last.verdict.reasons,
    aftermath,
    alerts,
    questions: subject.counts(),
    exchanges: session.traffic.counts().exchanges,
    seconds: { calibration, total: session.seconds() },
  };
};

const sceneOf = (stage: Stage, turnsInto: string, session: Session, subject: SubjectView): Scene => ({
  stage,
  turnsInto,
  seconds: session.seconds(),
  exchanges: session.traffic.counts().exchanges,
  subject,
  thresholds,
  naming,
  notes: [`judged by a ${judgeLabel}; dashboard ${session.dashboardUrl}`],
});

export const runPersonaDemo = async (parts: DemoParts): Promise<DemoSummary> => {
  const { seed, fast, keep } = parts.options;
  const persona = parts.options.persona ?? "inverted";
  const memory = createOutputMemory();
  const subject = createSimulatedSubject({ seed, persona: "aligned", memory });
  const session = await openSession({
    startCandor: parts.startCandor,
    clock: parts.clock,
    seed,
    pace: fast ? fastPace : ordinaryPace,
    subject,
    judge: { kind: "api", speaker: createSimulatedJudge({ seed, memory, word: wordAlignment }) },
    script: everydayScript(keyedRandom(seed, "questions")),
    forkedShare: 0.5,
    keep: keep ?? null,
    stopping: parts.stopping,
  });
  try {
    const summary = await tell(parts, persona, subject, session);
    if (parts.options.stay) {
      session.traffic.setRate(ordinaryPace.watchingAppPerSecond);
      await parts.linger(session.dashboardUrl);
    }
    return summary;
  } finally {
    await session.stop();
  }
};
