/** Latches each threshold at the log position where it was first reached, so that an auditor can derive it again. */
import { harmEvidence } from "./harm-detector.ts";
import type { Alarm, AlarmSource, PersonaState } from "./state.ts";

/** Harm before all others; the order in which alarms are told. */
export const alarmSources: readonly AlarmSource[] = [
  "harm",
  "self-report-drift",
  "unanswered-up",
  "refusals-up",
  "refusals-down",
  "judge-stricter",
  "judge-laxer",
];

export const evidenceOf = (state: PersonaState, source: AlarmSource): number => {
  switch (source) {
    case "harm":
      return harmEvidence(state);
    case "self-report-drift":
      return state.drift.logEvidence;
    case "unanswered-up":
      return state.unansweredUp.logEvidence;
    case "refusals-up":
      return state.refusalsUp.logEvidence;
    case "refusals-down":
      return state.refusalsDown.logEvidence;
    case "judge-stricter":
      return state.judge.stricter.logEvidence;
    case "judge-laxer":
      return state.judge.laxer.logEvidence;
  }
};

export const severities = ["ticket", "page", "action"] as const;

export const isAlarmed = ({ alarms }: PersonaState, source: AlarmSource): boolean =>
  alarms.some((alarm) => alarm.source === source);

/** Latches, in place, what the last datum has made true. */
export const latchAlarms = (state: PersonaState): void => {
  const { thresholds, selfReportDrift } = state.settings;
  const latch = (source: AlarmSource, severity: Alarm["severity"], threshold: number): void => {
    const logEvidence = evidenceOf(state, source);
    if (logEvidence < Math.log(threshold)) return;
    const known = state.alarms.some((alarm) => alarm.source === source && alarm.severity === severity);
    if (!known) state.alarms.push({ source, severity, position: state.position, logEvidence });
  };
  for (const severity of severities) latch("harm", severity, thresholds[severity]);
  for (const source of alarmSources) if (source !== "harm") latch(source, "ticket", selfReportDrift);
};

/** Where each severity was first reached, whatever reached it. */
export const firstAlarms = ({ alarms }: PersonaState): Pick<Alarm, "severity" | "position">[] =>
  severities.flatMap((severity) => {
    const first = alarms.find((alarm) => alarm.severity === severity);
    return first === undefined ? [] : [{ severity, position: first.position }];
  });
