/**
 * What a subject used to say of itself, by form. Forms differ in their healthy mean and in how often they can be asked,
 * so one mean of all would seem to move whenever their shares do.
 */
import { anytimeUpper } from "./bounds.ts";
import { noReports, reportsSince } from "./self-report.ts";
import { reportMix, selfReportFloor, steadyForms } from "./settings.ts";
import type { PersonaState } from "./state.ts";
import type { ReportForm } from "./verdict.ts";

const forms: readonly ReportForm[] = ["choice", "recognition", "rating"];

/** Epochs of the first method learned one mean of all forms; they go on with it until they end. */
const isPooled = ({ method }: PersonaState): boolean => method === 1;

const learnPooled = (state: PersonaState): void => {
  const { selfReport: need, alpha } = state.settings.calibration;
  const { n, total } = reportsSince(state.reports, noReports);
  if (n < need) return;
  const nullMean = Math.max(selfReportFloor, anytimeUpper(total, n, alpha));
  state.reportNullMeans = { choice: nullMean, recognition: nullMean, rating: nullMean };
};

const learn = (state: PersonaState, form: ReportForm): void => {
  const { n, total } = reportsSince(state.reports, noReports, [form]);
  // One bound a form: together they are as sure as the setting says.
  const alpha = state.settings.calibration.alpha / forms.length;
  state.reportNullMeans[form] ??= Math.max(selfReportFloor, anytimeUpper(total, n, alpha));
};

/** Fixes, in place, the null means for which there are enough self-reports by now. */
export const learnReports = (state: PersonaState): void => {
  if (isPooled(state)) {
    learnPooled(state);
    return;
  }
  const need = state.settings.calibration.selfReport;
  const countOf = (of: readonly ReportForm[]): number => reportsSince(state.reports, noReports, of).n;
  if (countOf(steadyForms) >= need) for (const form of steadyForms) learn(state, form);
  if (countOf(["recognition"]) >= need * reportMix.recognition) learn(state, "recognition");
};

/** Self-reports so far of those that calibration waits for. */
export const reportsLearned = (state: PersonaState): number =>
  reportsSince(state.reports, noReports, isPooled(state) ? forms : steadyForms).n;

/** Whether the forms that can always be asked still lack their baseline. */
export const needsReports = ({ reportNullMeans }: PersonaState): boolean =>
  steadyForms.some((form) => reportNullMeans[form] === null);
