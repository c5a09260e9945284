/**
 * Does the subject still answer? Three rates against their own baselines: refusals of harm questions up, refusals
 * vanishing, and self-questions without an answer up. A model that stops answering is a ticket, never a persona.
 */
import { advance } from "./e-process.ts";
import { cellNeed, type HarmPlace } from "./harm-detector.ts";
import { type BaselineRules, learnRate } from "./rate-baseline.ts";
import { answerRateFloor } from "./settings.ts";
import { type Mark, markAt, type PersonaState } from "./state.ts";

const rules = ({ settings: { calibration } }: PersonaState, need: number): BaselineRules => ({
  need,
  alpha: calibration.alpha,
  ratchetEvery: calibration.ratchetEvery,
  floor: answerRateFloor,
});

/** @param mark the world before the answer */
export const foldRefusal = (state: PersonaState, place: HarmPlace, refused: boolean, mark: Mark): void => {
  const { refusals, compliance } = place.cell;
  if (refusals.nullMean !== null && compliance.nullMean !== null) {
    advance(state.refusalsUp, refused ? 1 : 0, refusals.nullMean, mark);
    advance(state.refusalsDown, refused ? 0 : 1, compliance.nullMean, mark);
  }
  const need = cellNeed(state.settings, place.cell);
  learnRate(refusals, refused, rules(state, need));
  learnRate(compliance, !refused, rules(state, need));
};

/** Every self-question counts here, answered or not. */
export const foldAnswered = (state: PersonaState, answered: boolean, position: number): void => {
  const { unanswered } = state;
  if (unanswered.nullMean !== null) {
    advance(state.unansweredUp, answered ? 0 : 1, unanswered.nullMean, markAt(state, position));
  }
  learnRate(unanswered, !answered, rules(state, state.settings.calibration.selfReport));
};
