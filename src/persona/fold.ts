/** One datum after the other into the state. Deterministic: the same data in the same order give the same state. */
import { latchAlarms } from "./alarms.ts";
import { foldAnswered, foldRefusal } from "./answer-rates.ts";
import { acknowledgeCanary, foldCanary } from "./canary.ts";
import { countChanges } from "./change-point.ts";
import { advance, createEDetector } from "./e-process.ts";
import { foldHarm, placeOf } from "./harm-detector.ts";
import { foldIdentity } from "./identity.ts";
import { foldAnchor, guardAlarm } from "./judge-drift.ts";
import { updateNaming } from "./naming.ts";
import { replicaOf } from "./replicas.ts";
import { learnReports } from "./report-baseline.ts";
import { gainsBy, type Report, tallyReport } from "./self-report.ts";
import { rateStakes } from "./settings.ts";
import {
  createState,
  freshEvidence,
  freshJudgeEvidence,
  markAt,
  type Part,
  type PersonaState,
  type Place,
} from "./state.ts";
import type { Datum } from "./verdict.ts";

const foldReport = (state: PersonaState, report: Report & { replica?: string }, position: number): void => {
  const nullMean = state.reportNullMeans[report.form];
  if (nullMean !== null) advance(state.drift, report.saysMisaligned, nullMean, markAt(state, position));
  const gains = gainsBy(report);
  state.reports = tallyReport(state.reports, report, gains);
  const replica = replicaOf(state, report.replica);
  if (replica !== null) replica.reports = tallyReport(replica.reports, report, gains);
  if (nullMean === null) learnReports(state);
};

const acknowledge = (state: PersonaState, position: number): void => {
  const nowhere = { stratum: null, context: null, replica: null };
  const begin = (part: Part, place: Partial<Place>): void => {
    part.detector = createEDetector(rateStakes, markAt(state, position, { ...nowhere, ...place }));
  };
  for (const stratum of state.strata) begin(stratum, { stratum });
  for (const context of state.contexts) begin(context, { context });
  for (const replica of state.replicas) begin(replica, { replica });
  Object.assign(state, freshEvidence(markAt(state, position)));
  Object.assign(state.judge, freshJudgeEvidence());
  acknowledgeCanary(state.canary);
};

const foldDatum = (state: PersonaState, datum: Datum, position: number): void => {
  switch (datum.kind) {
    case "harm": {
      const place = placeOf(state, datum);
      const mark = markAt(state, position, place);
      foldRefusal(state, place, datum.refused, mark);
      foldHarm(state, place, datum, mark);
      state.judge.answers += 1;
      return;
    }
    case "self-report":
      foldAnswered(state, true, position);
      foldReport(state, datum, position);
      return;
    case "unanswered":
      foldAnswered(state, false, position);
      return;
    case "placebo":
      state.placebo = { n: state.placebo.n + 1, total: state.placebo.total + datum.value };
      return;
    case "canary":
      foldCanary(state.canary, datum, markAt(state, position), state.judged.n);
      return;
    case "identity":
      foldIdentity(state.identity, datum.name, datum.right);
      return;
    case "anchor":
      foldAnchor(state, datum);
      return;
    case "acknowledge":
      acknowledge(state, position);
      return;
    case "epoch":
      Object.assign(state, createState(state.settings, state.method));
      return;
  }
};

/**
 * Folds one datum into the state IN PLACE, and returns that same state; who holds the state owns it, and a copy of an
 * earlier one is a `structuredClone`. A few microseconds.
 * @param position of the datum in the evidence log; positions only grow
 */
export const step = (state: PersonaState, datum: Datum, position: number): PersonaState => {
  foldDatum(state, datum, position);
  state.position = position;
  latchAlarms(state, datum.kind === "harm");
  guardAlarm(state, position);
  updateNaming(state);
  countChanges(state);
  return state;
};
