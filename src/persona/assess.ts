/** Reads a state: the verdict as far as the data go. Changes nothing; the same state gives the same verdict. */
import { evidenceOf, firstAlarms } from "./alarms.ts";
import { confidenceSequence } from "./bounds.ts";
import { viewCanary } from "./canary.ts";
import { type Change, changeAlpha, presentChange } from "./change-point.ts";
import { countSince } from "./count.ts";
import { type ChannelFacts, divergenceOf } from "./divergence.ts";
import { logEvidence } from "./e-process.ts";
import { cellNeed, harmSuspicion } from "./harm-detector.ts";
import { viewIdentity } from "./identity.ts";
import { guardOf } from "./judge-drift.ts";
import { missingFor } from "./missing.ts";
import { harmlessEvidence, isCalibrating, namingEvidence, personaOf } from "./naming.ts";
import { armViews, channelFacts, contextViews, replicaViews } from "./part-views.ts";
import { type Facts, reasonsFor } from "./reasons.ts";
import { reportsLearned } from "./report-baseline.ts";
import { contentSensitivity, noReports, reportsSince } from "./self-report.ts";
import { canaryThreshold, intervalAlpha } from "./settings.ts";
import { severityOf } from "./severity.ts";
import type { PersonaState } from "./state.ts";
import type { Channel, EvidenceName, EvidenceValue, Interval, Verdict } from "./verdict.ts";
import { cellName } from "./wording.ts";

const evidence = (state: PersonaState): Record<EvidenceName, EvidenceValue> => {
  const { thresholds, naming, selfReportDrift, judgeDrift } = state.settings;
  const against = (threshold: number, value: number): EvidenceValue => ({
    logEvidence: value,
    logThreshold: Math.log(threshold),
  });
  const says = namingEvidence(state);
  return {
    harm: against(thresholds.ticket, evidenceOf(state, "harm")),
    "harm-live": against(thresholds.ticket, logEvidence(state.harmByChannel.live)),
    "harm-probe": against(thresholds.ticket, logEvidence(state.harmByChannel.probe)),
    "says-aligned": against(naming, says.saysAligned),
    "says-misaligned": against(naming, says.saysMisaligned),
    "self-report-drift": against(selfReportDrift, evidenceOf(state, "self-report-drift")),
    harmless: against(naming, harmlessEvidence(state)),
    "refusals-up": against(selfReportDrift, evidenceOf(state, "refusals-up")),
    "refusals-down": against(selfReportDrift, evidenceOf(state, "refusals-down")),
    "unanswered-up": against(selfReportDrift, evidenceOf(state, "unanswered-up")),
    "judge-stricter": against(judgeDrift.threshold, evidenceOf(state, "judge-stricter")),
    "judge-laxer": against(selfReportDrift, evidenceOf(state, "judge-laxer")),
    canary: against(canaryThreshold, state.canary.logSr),
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

const calibration = (state: PersonaState): Verdict["calibration"] => {
  const { cells, settings } = state;
  const { harm, selfReport: need } = settings.calibration;
  const progress = (name: string, n: number, needed: number) => ({ name, have: Math.min(n, needed), need: needed });
  return [
    ...(cells.length === 0 ? [progress("judged answers", 0, harm)] : []),
    ...cells.map((cell) => progress(cellName(cell), cell.harm.n, cellNeed(settings, cell))),
    progress("self-reports", reportsLearned(state), need),
  ];
};

const probing = (state: PersonaState): Verdict["probing"] => {
  const { harm, selfReport: need } = state.settings.calibration;
  const probed = state.cells.filter(({ channel }) => channel === "probe");
  // By stratum: a rare context would keep probes hurrying for as long as it stays rare.
  const judged = new Map<string, number>();
  for (const { stratum, harm: cell } of probed) judged.set(stratum, (judged.get(stratum) ?? 0) + cell.n);
  const missingOf = (n: number): number => Math.max(0, harm - n);
  return {
    suspicion: harmSuspicion(state),
    harmNeed: judged.size === 0 ? harm : [...judged.values()].reduce((sum, n) => sum + missingOf(n), 0),
    selfReportNeed: Math.max(0, need - reportsLearned(state)),
  };
};

const baseline = ({ cells }: PersonaState): Verdict["baseline"] =>
  cells.flatMap(({ stratum, context, harm: { nullMean, n } }) =>
    nullMean === null ? [] : [{ stratum, context, nullMean, n }],
  );

const judge = (state: PersonaState): Verdict["judge"] => {
  const { falseAlarms, misses } = state.judge;
  return {
    guard: guardOf(state),
    falseAlarms: confidenceSequence(falseAlarms.hits, falseAlarms.n, intervalAlpha),
    misses: confidenceSequence(misses.hits, misses.n, intervalAlpha),
  };
};

const facts = (state: PersonaState, change: Change | null, channels: Record<Channel, ChannelFacts>): Facts => {
  const { unanswered, settings } = state;
  const ticket = Math.log(settings.thresholds.ticket);
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
    where:
      change?.source === "harm"
        ? {
            stratum: change.where.stratum?.name ?? null,
            context: change.where.context?.name ?? null,
            replica: change.where.replica?.name ?? null,
          }
        : null,
    arms: armViews(state, change, ticket),
    contexts: contextViews(state, ticket),
    replicas: replicaViews(state, ticket),
    divergence: divergenceOf(channels.live, channels.probe, state.judge.moved !== null),
    judge: judge(state),
    unansweredRate: unanswered.n === 0 ? null : unanswered.hits / unanswered.n,
    canary: viewCanary(state.canary, state.judged.n),
    identity: viewIdentity(state.identity),
    probing: probing(state),
  };
};

export const assess = (state: PersonaState): Verdict => {
  const change = presentChange(state);
  const ticket = Math.log(state.settings.thresholds.ticket);
  const channels = { live: channelFacts(state, "live", ticket), probe: channelFacts(state, "probe", ticket) };
  const verdict = facts(state, change, channels);
  return { ...verdict, reasons: reasonsFor(state, verdict, change, channels), missing: missingFor(state, verdict) };
};
