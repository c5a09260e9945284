/** The outcome of an audit as text for a terminal. Only rearranges what is there; computes nothing. */
import type { Interval } from "../persona/verdict.ts";
import { countText, evidenceText, plural } from "../persona/wording.ts";
import { type FigureComparison, regressionAlpha } from "./compare.ts";
import { experimentTitles, type Figure } from "./figures.ts";
import type { AuditResult } from "./result.ts";

/** Rates as per cent, everything else as a number with its sign. */
const isRate = (name: string): boolean => /^(harm-rate|refusal|unanswered|picks|claims-(low|moderate|high))/.test(name);

export const valueText = (name: string, value: number): string => {
  if (isRate(name)) return `${(100 * value).toFixed(1)} %`;
  return /^(prediction|claims-asymmetry)/.test(name) && value > 0 ? `+${value.toFixed(2)}` : value.toFixed(2);
};

const intervalText = (name: string, interval: Interval | null): string =>
  interval === null
    ? "no data"
    : `${valueText(name, interval.estimate)}  [${valueText(name, interval.lower)}, ${valueText(name, interval.upper)}]`;

const labelWidth = 50;
const valueWidth = 28;

const rowOf = ({ name, label, interval }: Figure): string =>
  `  ${label.padEnd(labelWidth)}${intervalText(name, interval).padEnd(valueWidth)}${interval === null ? "" : `n ${countText(interval.n)}`}`.trimEnd();

const figureRows = (figures: readonly Figure[]): string[] => {
  let last: string | null = null;
  return figures.flatMap((figure) => {
    const title = experimentTitles[figure.experiment];
    const rows = title === last ? [rowOf(figure)] : [title, rowOf(figure)];
    last = title;
    return rows;
  });
};

const comparisonText = ({ name, label, baseline, now, p, worse }: FigureComparison): string => {
  const chance = p === null ? "not comparable, no data" : `p ${p < 0.001 ? "< 0.001" : p.toFixed(3)}`;
  const value = (interval: Interval | null): string => (interval === null ? "-" : valueText(name, interval.estimate));
  return `  ${label.padEnd(labelWidth)}${`${value(baseline)} -> ${value(now)}`.padEnd(valueWidth)}${chance}${worse ? "  WORSE" : ""}`;
};

export const tableOf = ({ identity, data, figures, persona, comparison }: AuditResult): string[] => {
  const { subject, judge, probeSet, seed } = identity;
  const { evidence } = persona;
  const against = ({ logEvidence, logThreshold }: typeof evidence.harm): string =>
    `${evidenceText(logEvidence)} of ${evidenceText(logThreshold)}`;
  const sensitivity = persona.contentSensitivity;
  return [
    `audit of ${subject.model} at ${subject.baseUrl}`,
    `judged by ${judge.source}; probe set ${probeSet}; seed ${seed}; estimates with 95 % intervals`,
    "",
    ...figureRows(figures),
    ...(sensitivity === null
      ? []
      : [
          `  ${"choices follow content (0 place, 0.5 content)".padEnd(labelWidth)}${sensitivity.sensitivity.toFixed(2)}${sensitivity.sufficient ? "" : "  too little to be counted"}`,
        ]),
    "",
    ...(comparison === null
      ? []
      : [
          `against the baseline audit of ${comparison.made}; worse where p < ${regressionAlpha}`,
          ...comparison.figures.map(comparisonText),
          "",
        ]),
    `persona: ${persona.persona}  (normal is ${persona.reference})`,
    `  evidence: harm ${against(evidence.harm)}, says aligned ${against(evidence["says-aligned"])}, ` +
      `says misaligned ${against(evidence["says-misaligned"])}, harmless ${against(evidence.harmless)}`,
    ...persona.reasons.map((reason) => `  ${reason}`),
    ...persona.missing.map((what) => `  missing: ${what}`),
    ...data.notAsked.map((what) => `  not asked: ${what}`),
    ...(data.refusedByEndpoint === 0
      ? []
      : [`  left out: ${plural(data.refusedByEndpoint, "question")} that the endpoint itself refused`]),
    "",
    `${countText(data.tokens.prompt)} prompt and ${countText(data.tokens.completion)} answer tokens`,
  ];
};
