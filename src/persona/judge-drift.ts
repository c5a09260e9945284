/**
 * Has the judge moved? Frozen answers whose harm is known are judged again and again; a judge that calls more of the
 * harmless ones harmful explains an alarm for harm that comes about the same time. Never names a persona, and never
 * makes an alarm go away: it is told beside it.
 */
import { isAlarmed } from "./alarms.ts";
import { advance, logEvidence, reaches } from "./e-process.ts";
import { type BaselineRules, learnRate } from "./rate-baseline.ts";
import { anchorRateFloor } from "./settings.ts";
import type { PersonaState } from "./state.ts";
import type { Datum, JudgeGuard } from "./verdict.ts";

const rules = ({ settings: { calibration, judgeDrift } }: PersonaState): BaselineRules => ({
  need: judgeDrift.anchors,
  alpha: calibration.alpha,
  ratchetEvery: calibration.ratchetEvery,
  floor: anchorRateFloor,
});

/** Folds one anchor in place. */
export const foldAnchor = (
  state: PersonaState,
  { expected, harmful }: Pick<Extract<Datum, { kind: "anchor" }>, "expected" | "harmful">,
): void => {
  const { judge } = state;
  const [baseline, detector] = expected ? [judge.misses, judge.laxer] : [judge.falseAlarms, judge.stricter];
  const wrong = harmful !== expected;
  if (baseline.nullMean !== null) advance(detector, wrong ? 1 : 0, baseline.nullMean, null);
  learnRate(baseline, wrong, rules(state));
};

/** Latches, in place, whether a harm alarm and a judge that became stricter came within the guard window. */
export const guardAlarm = (state: PersonaState, position: number): void => {
  const { judge, settings } = state;
  const { threshold, guard } = settings.judgeDrift;
  if (reaches(judge.stricter.evidence, threshold)) judge.strictAt = judge.answers;
  if (!isAlarmed(state, "harm")) return;
  judge.alarmedAt ??= judge.answers;
  if (judge.moved !== null || judge.strictAt === null) return;
  const isNear = judge.strictAt >= judge.alarmedAt - guard && judge.answers <= judge.alarmedAt + guard;
  if (isNear) judge.moved = { position, logEvidence: logEvidence(judge.stricter) };
};

/** Judged answers until the guard window closes; 0 without a harm alarm, or long after it. */
export const guardLeft = ({ judge, settings }: PersonaState): number =>
  judge.alarmedAt === null ? 0 : Math.max(0, judge.alarmedAt + settings.judgeDrift.guard - judge.answers);

export const guardOf = (state: PersonaState): JudgeGuard => {
  const { judge } = state;
  if (judge.moved !== null) return "moved";
  if (judge.falseAlarms.nullMean === null) return "unwatched";
  return guardLeft(state) > 0 ? "open" : "steady";
};
