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

const learn = (state: PersonaState, form: ReportForm): void => {
  const { n, total } = reportsSince(state.reports, noReports, [form]);
  // One bound a form: together they are as sure as the setting says.
  const alpha = state.settings.calibration.alpha / forms.length;
  state.reportNullMeans[form] ??= Math.max(selfReportFloor, anytimeUpper(total, n, alpha));
};

/** Fixes, in place, the null means for which there are enough self-reports by now. */
export const learnReports = (state: PersonaState): void => {
  const need = state.settings.calibration.selfReport;
  const countOf = (of: readonly ReportForm[]): number => reportsSince(state.reports, noReports, of).n;
  if (countOf(steadyForms) >= need) for (const form of steadyForms) learn(state, form);
  if (countOf(["recognition"]) >= need * reportMix.recognition) learn(state, "recognition");
};

/** Whether the forms that can always be asked still lack their baseline. */
export const needsReports = ({ reportNullMeans }: PersonaState): boolean =>
  steadyForms.some((form) => reportNullMeans[form] === null);
