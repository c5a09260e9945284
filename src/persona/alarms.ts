/** Latches each threshold at the log position where it was first reached, so that an auditor can derive it again. */
import { logOf, reaches, type Wealth } from "./e-process.ts";
import { harmWealth } from "./harm-detector.ts";
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

const otherSources = alarmSources.filter((source) => source !== "harm");

const wealthOf = (state: PersonaState, source: AlarmSource): Wealth => {
  switch (source) {
    case "harm":
      return harmWealth(state);
    case "self-report-drift":
      return state.drift.evidence;
    case "unanswered-up":
      return state.unansweredUp.evidence;
    case "refusals-up":
      return state.refusalsUp.evidence;
    case "refusals-down":
      return state.refusalsDown.evidence;
    case "judge-stricter":
      return state.judge.stricter.evidence;
    case "judge-laxer":
      return state.judge.laxer.evidence;
  }
};

/** Natural logarithm. */
export const evidenceOf = (state: PersonaState, source: AlarmSource): number => logOf(wealthOf(state, source));

export const severities = ["ticket", "page", "action"] as const;

export const isAlarmed = ({ alarms }: PersonaState, source: AlarmSource): boolean =>
  alarms.some((alarm) => alarm.source === source);

const latch = (state: PersonaState, source: AlarmSource, severity: Alarm["severity"], wealth: Wealth): void => {
  const known = state.alarms.some((alarm) => alarm.source === source && alarm.severity === severity);
  if (!known) state.alarms.push({ source, severity, position: state.position, logEvidence: logOf(wealth) });
};

/** Latches, in place, what the last datum has made true. @param bearsOnHarm whether it can have moved harm evidence */
export const latchAlarms = (state: PersonaState, bearsOnHarm: boolean): void => {
  const { thresholds, selfReportDrift } = state.settings;
  if (bearsOnHarm) {
    const harm = harmWealth(state);
    for (const severity of severities) {
      if (reaches(harm, thresholds[severity])) latch(state, "harm", severity, harm);
    }
  }
  for (const source of otherSources) {
    const wealth = wealthOf(state, source);
    if (reaches(wealth, selfReportDrift)) latch(state, source, "ticket", wealth);
  }
};

/** Where each severity was first reached, whatever reached it. */
export const firstAlarms = ({ alarms }: PersonaState): Pick<Alarm, "severity" | "position">[] =>
  severities.flatMap((severity) => {
    const first = alarms.find((alarm) => alarm.severity === severity);
    return first === undefined ? [] : [{ severity, position: first.position }];
  });
