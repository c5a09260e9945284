/** Reads a state: the verdict as far as the data go. Changes nothing; the same state gives the same verdict. */
import { evidenceOf, firstAlarms, severityOf } from "./alarms.ts";
import { confidenceSequence } from "./bounds.ts";
import { type Change, changeAlpha, presentChange } from "./change-point.ts";
import { countSince } from "./count.ts";
import { harmSuspicion } from "./harm-detector.ts";
import { missingFor } from "./missing.ts";
import { harmlessEvidence, isCalibrating, namingStart, personaOf } from "./naming.ts";
import { reasonsFor } from "./reasons.ts";
import { contentSensitivity, noReports, reportEvidence, reportsSince } from "./self-report.ts";
import { intervalAlpha, steadyForms } from "./settings.ts";
import type { PersonaState } from "./state.ts";
import type { EvidenceName, EvidenceValue, Interval, Verdict } from "./verdict.ts";

const evidence = (state: PersonaState): Record<EvidenceName, EvidenceValue> => {
  const { thresholds, naming, selfReportDrift } = state.settings;
  const against = (threshold: number, logEvidence: number): EvidenceValue => ({
    logEvidence,
    logThreshold: Math.log(threshold),
  });
  const says = reportEvidence(state.reports, namingStart(state).reports);
  return {
    harm: against(thresholds.ticket, evidenceOf(state, "harm")),
    "harm-live": against(thresholds.ticket, state.harmByChannel.live.logEvidence),
    "harm-probe": against(thresholds.ticket, state.harmByChannel.probe.logEvidence),
    "says-aligned": against(naming, says.saysAligned),
    "says-misaligned": against(naming, says.saysMisaligned),
    "self-report-drift": against(selfReportDrift, evidenceOf(state, "self-report-drift")),
    harmless: against(naming, harmlessEvidence(state)),
    "refusals-up": against(selfReportDrift, evidenceOf(state, "refusals-up")),
    "refusals-down": against(selfReportDrift, evidenceOf(state, "refusals-down")),
    "unanswered-up": against(selfReportDrift, evidenceOf(state, "unanswered-up")),
  };
};

const harmRate = (state: PersonaState, change: Change | null): Verdict["harmRate"] => {
  const { judged, watched } = state;
  const since = change === null ? null : countSince(watched, change.mark.harm);
  return {
    sinceCalibration: confidenceSequence(judged.hits, judged.n, intervalAlpha),
    sinceChange: since === null ? null : confidenceSequence(since.hits, since.n, changeAlpha(state)),
  };
};

const selfReport = (state: PersonaState, change: Change | null): Verdict["selfReport"] => {
  const interval = (then: typeof noReports, alpha: number): Interval => {
    const { n, total } = reportsSince(state.reports, then);
    return confidenceSequence(total, n, alpha);
  };
  return {
    sinceCalibration: interval(noReports, intervalAlpha),
    sinceChange: change === null ? null : interval(change.mark.reports, changeAlpha(state)),
  };
};

const calibration = ({ strata, reports, settings }: PersonaState): Verdict["calibration"] => {
  const { harm, selfReport: need } = settings.calibration;
  const progress = (name: string, n: number, needed: number) => ({ name, have: Math.min(n, needed), need: needed });
  return [
    ...(strata.length === 0 ? [progress("judged answers", 0, harm)] : []),
    ...strata.map((stratum) => progress(stratum.name, stratum.harm.n, harm)),
    progress("self-reports", reportsSince(reports, noReports, steadyForms).n, need),
  ];
};

const probing = (state: PersonaState): Verdict["probing"] => {
  const { harm, selfReport: need } = state.settings.calibration;
  const missingOf = (n: number): number => Math.max(0, harm - n);
  const probed = state.strata.filter(({ channel }) => channel === "probe");
  return {
    suspicion: harmSuspicion(state),
    harmNeed: probed.length === 0 ? harm : probed.reduce((sum, stratum) => sum + missingOf(stratum.harm.n), 0),
    selfReportNeed: Math.max(0, need - reportsSince(state.reports, noReports, steadyForms).n),
  };
};

const baseline = ({ strata }: PersonaState): Verdict["baseline"] =>
  strata.flatMap(({ name, harm: { nullMean, n } }) => (nullMean === null ? [] : [{ stratum: name, nullMean, n }]));

const facts = (state: PersonaState, change: Change | null): Omit<Verdict, "reasons" | "missing"> => {
  const { unanswered, settings } = state;
  const persona = personaOf(state);
  return {
    position: state.position,
    persona,
    severity: severityOf(state),
    assured: persona === "aligned" && state.alarms.length === 0 && state.harmless.recent >= Math.log(settings.naming),
    phase: isCalibrating(state) ? "calibrating" : "monitoring",
    calibration: calibration(state),
    evidence: evidence(state),
    alarms: firstAlarms(state),
    changePoint: change?.mark.position ?? null,
    harmRate: harmRate(state, change),
    selfReport: selfReport(state, change),
    contentSensitivity: contentSensitivity(state.reports, change?.mark.reports ?? noReports, "choice"),
    baseline: baseline(state),
    unansweredRate: unanswered.n === 0 ? null : unanswered.hits / unanswered.n,
    probing: probing(state),
  };
};

export const assess = (state: PersonaState): Verdict => {
  const change = presentChange(state);
  const verdict = facts(state, change);
  return { ...verdict, reasons: reasonsFor(state, verdict, change), missing: missingFor(state, verdict) };
};
