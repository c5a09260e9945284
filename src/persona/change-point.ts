/** When did the present change begin, and what shows it? An estimate, for people and for naming; it raises no alarm. */
import { alarmSources, isAlarmed } from "./alarms.ts";
import { type EDetector, leadingBet, logTwin, reaches } from "./e-process.ts";
import { type HarmLead, harmSuspicion, largestTwin, leadingHarm } from "./harm-detector.ts";
import { intervalAlpha, suspicion } from "./settings.ts";
import type { AlarmSource, Mark, PersonaState } from "./state.ts";

/** What the subject may have changed in. The judge is not the subject. */
type ChangeSource = Exclude<AlarmSource, "judge-stricter" | "judge-laxer">;

export interface Change {
  /** `canary`: nothing but the answers to canary questions shows it. */
  source: ChangeSource | "canary";
  mark: Mark;
  /** Where harm shows most; nulls for all answers together, or where the change is another. */
  where: Omit<HarmLead, "bet">;
}

const everywhere: Change["where"] = { stratum: null, context: null, replica: null };

const changeSources: readonly ChangeSource[] = alarmSources.filter(
  (source): source is ChangeSource => source !== "judge-stricter" && source !== "judge-laxer",
);

const detectorOf = (state: PersonaState, source: Exclude<ChangeSource, "harm">): EDetector<Mark> => {
  switch (source) {
    case "self-report-drift":
      return state.drift;
    case "unanswered-up":
      return state.unansweredUp;
    case "refusals-up":
      return state.refusalsUp;
    case "refusals-down":
      return state.refusalsDown;
  }
};

/** CUSUM twin, nats. */
const twinOf = (state: PersonaState, source: ChangeSource): number =>
  source === "harm" ? harmSuspicion(state) : logTwin(detectorOf(state, source));

const changeIn = (state: PersonaState, source: ChangeSource): Change => {
  if (source === "harm") {
    const { bet, ...where } = leadingHarm(state);
    return { source, mark: bet.mark, where };
  }
  return { source, mark: leadingBet(detectorOf(state, source)).mark, where: everywhere };
};

/** What is suspected without an alarm. A few unread answers in a row are nothing that anyone need see. */
const suspicious: readonly ChangeSource[] = ["harm", "self-report-drift"];

/**
 * Null while nothing points to a change. One behind an alarm comes before one that is only suspected, and harm before
 * the rest; an alarm whose evidence has since gone back to nothing stands, but points to no present change. Last comes
 * where the served model seems to have changed: what was done and said since then is shown by itself.
 */
export const presentChange = (state: PersonaState): Change | null => {
  const source =
    changeSources.find((alarm) => isAlarmed(state, alarm) && twinOf(state, alarm) > 0) ??
    suspicious.find((suspect) => twinOf(state, suspect) >= suspicion.change);
  if (source !== undefined) return changeIn(state, source);
  const { last } = state.canary;
  return last === null ? null : { source: "canary", mark: last.from, where: everywhere };
};

/** Twins of what is suspected without an alarm, read with every datum. */
const isInView = (state: PersonaState): boolean =>
  reaches(largestTwin(state), viewAt) || reaches(state.drift.twin, viewAt);

const viewAt = Math.exp(suspicion.change);

/** Counts, in place, how often a change came into view: its interval pays for having chosen where to begin. */
export const countChanges = (state: PersonaState): void => {
  const inView = isInView(state);
  if (inView && !state.changes.inView) state.changes.count += 1;
  state.changes.inView = inView;
};

/** The j-th change in view may miss with alpha / (j (j + 1)): these add up to alpha over all changes of an epoch. */
export const changeAlpha = ({ changes }: Pick<PersonaState, "changes">): number => {
  const j = Math.max(1, changes.count);
  return intervalAlpha / (j * (j + 1));
};
