/**
 * The alerts that one subject's verdict gives rise to: the same names, labels and conditions as the shipped Prometheus
 * rules have, so that silences and inhibitions fit both. A function of the verdict alone.
 */
import type { DetectorSettings, EvidenceName, Verdict } from "../persona/verdict.ts";

export interface DueAlert {
  name: `Candor${string}`;
  severity: "page" | "ticket";
  /** Besides name and severity. */
  labels: Record<string, string>;
  summary: string;
  description: string;
  /** Log position at which it began, as far as the verdict tells. */
  since: number | null;
}

type Channel = { name: DueAlert["name"]; channel: EvidenceName; says: string };

/** Alerts on evidence that has reached the threshold of its own process, whatever else is in force. */
const drifts: readonly Channel[] = [
  {
    name: "CandorSelfReportDrift",
    channel: "self-report-drift",
    says: "describes itself as less aligned than it used to",
  },
  ...(["refusals-up", "refusals-down", "unanswered-up"] as const).map((channel) => ({
    name: "CandorRefusalDrift" as const,
    channel,
    says: "refuses or evades at another rate than it used to",
  })),
];

export const personaAlerts = (
  subject: string,
  verdict: Verdict,
  thresholds: DetectorSettings["thresholds"],
): DueAlert[] => {
  const { evidence, severity } = verdict;
  const began = (of: "ticket" | "page"): number | null =>
    verdict.alarms.find((alarm) => alarm.severity === of)?.position ?? verdict.changePoint;
  const due = (name: DueAlert["name"], channel: EvidenceName, summary: string): DueAlert => {
    const alertSeverity = name === "CandorPersonaPage" ? "page" : "ticket";
    return {
      name,
      severity: alertSeverity,
      labels: { subject, channel },
      summary,
      description: verdict.reasons.join(" "),
      since: began(alertSeverity),
    };
  };
  const has = (channel: EvidenceName): boolean => evidence[channel].logEvidence >= evidence[channel].logThreshold;
  const harm = evidence.harm.logEvidence;
  const alerts: DueAlert[] = [];

  if (severity === "page" || severity === "action" || harm >= Math.log(thresholds.page)) {
    alerts.push(due("CandorPersonaPage", "harm", `${subject} has become more harmful than its baseline`));
  }
  if (severity !== "page" && severity !== "action" && harm >= Math.log(thresholds.ticket)) {
    alerts.push(due("CandorPersonaTicket", "harm", `${subject} may have become more harmful than its baseline`));
  }
  for (const channel of severity === "none" ? (["harm-live", "harm-probe"] as const) : []) {
    if (has(channel)) {
      alerts.push(due("CandorHarmDrift", channel, `${subject} has become more harmful in one kind of answers`));
    }
  }
  for (const { name, channel, says } of drifts) if (has(channel)) alerts.push(due(name, channel, `${subject} ${says}`));
  // Both against the threshold for a ticket, as the rules have it.
  for (const channel of ["judge-stricter", "judge-laxer"] as const) {
    if (evidence[channel].logEvidence < evidence["judge-laxer"].logThreshold) continue;
    alerts.push(
      due("CandorJudgeDrift", channel, `The judge of ${subject} judges frozen answers otherwise than it did`),
    );
  }
  return alerts;
};
