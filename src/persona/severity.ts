/** How grave it is, all alarms and the judge taken together. */
import { severities } from "./alarms.ts";
import { guardOf } from "./judge-drift.ts";
import type { PersonaState } from "./state.ts";
import type { Severity } from "./verdict.ts";

/** Epochs of the methods before acted on the word of a judge whose guard window was still open. */
const firstToWait = 3;

/**
 * The gravest of the alarms that stand. No automatic action on the word of a judge that has moved, nor before its frozen
 * answers have had the time to tell.
 */
export const severityOf = (state: PersonaState): Severity => {
  const gravest =
    severities.findLast((severity) => state.alarms.some((alarm) => alarm.severity === severity)) ?? "none";
  const guard = guardOf(state);
  const isDoubtful = guard === "moved" || (guard === "open" && state.method >= firstToWait);
  return gravest === "action" && isDoubtful ? "page" : gravest;
};
