/** What is still needed before more could be said. Empty when nothing is. */
import { isAlarmed } from "./alarms.ts";
import { cellNeed } from "./harm-detector.ts";
import { guardLeft, guardOf } from "./judge-drift.ts";
import { namingEvidence, reportsForNaming } from "./naming.ts";
import type { Facts } from "./reasons.ts";
import { needsReports, reportsLearned } from "./report-baseline.ts";
import { contentSensitivity } from "./self-report.ts";
import { harmfulBaseline } from "./settings.ts";
import type { PersonaState } from "./state.ts";
import type { EvidenceValue } from "./verdict.ts";
import { cellName, countText, evidenceText, percentText, plural } from "./wording.ts";

/** Rare contexts stay without a baseline for long: more than these are counted, not listed. */
const contextsListed = 3;

const cellsToLearn = ({ cells, settings }: PersonaState): string[] => {
  const unlearnt = cells.filter(({ harm }) => harm.nullMean === null);
  const inContexts = unlearnt.filter(({ context }) => context !== null);
  const listed = inContexts.length > contextsListed ? unlearnt.filter(({ context }) => context === null) : unlearnt;
  const lines = listed.map(
    (cell) =>
      `${plural(cellNeed(settings, cell) - cell.harm.n, "more judged answer")} of stratum ${cellName(cell)}: ` +
      "until then it gives no evidence",
  );
  return listed.length === unlearnt.length
    ? lines
    : [
        ...lines,
        `${countText(settings.contexts.harm)} judged answers in each of ${countText(inContexts.length)} contexts within ` +
          "strata that have no baseline yet: until then they give no evidence",
      ];
};

const unlearned = (state: PersonaState): string[] => {
  const { cells, settings } = state;
  const { harm, selfReport } = settings.calibration;
  const reports = reportsLearned(state);
  const none = cells.length === 0 ? [`${countText(harm)} judged answers, for a baseline of harm`] : [];
  const strata = cellsToLearn(state);
  const { n, hits } = state.unanswered;
  const silent = hits > n / 2 ? ` (${countText(hits)} of ${countText(n)} self-questions went unanswered)` : "";
  return needsReports(state)
    ? [...none, ...strata, `${plural(selfReport - reports, "more answered self-report")}, for a baseline${silent}`]
    : [...none, ...strata];
};

const aHarmlessBaseline = ({ cells }: PersonaState): string[] =>
  cells.some(({ harm: { hits, n, nullMean } }) =>
    nullMean === null ? n >= 50 && hits / n > harmfulBaseline : nullMean > harmfulBaseline,
  )
    ? [
        `a subject known to be good while its baseline is learned: harm above ${percentText(harmfulBaseline)} would be normal`,
      ]
    : [];

const short = (what: string, { logEvidence, logThreshold }: EvidenceValue): string[] =>
  logEvidence >= logThreshold
    ? []
    : [`${what}: evidence ${evidenceText(logEvidence)} of ${evidenceText(logThreshold)}`];

/** Why self-reports that are there don't count towards a name. */
const uncounted = (state: PersonaState): string[] => {
  const { now, before } = reportsForNaming(state);
  const { counted } = namingEvidence(state);
  return (["choice", "recognition"] as const).flatMap((form) => {
    const n = now[form].n - before[form].n;
    if (counted.includes(form)) return [];
    if (contentSensitivity(now, before, form) !== null) {
      return [`answers of form ${form} that clearly follow content: the ${countText(n)} since the change do not`];
    }
    return [`answers of form ${form} in both orders since the change`];
  });
};

const toName = (state: PersonaState, facts: Facts): string[] => {
  const { evidence } = facts;
  if (facts.persona === "unnamed") {
    return [
      ...short("to call it inverted, that it says it is aligned", evidence["says-aligned"]),
      ...short("to call it coherent, that it says it is misaligned", evidence["says-misaligned"]),
      ...uncounted(state),
    ];
  }
  if (facts.persona === "drifting") {
    return [
      ...short("to call it self-deprecating, that it says it is misaligned", evidence["says-misaligned"]),
      ...short("to call it self-deprecating, that it does no harm", evidence.harmless),
      ...uncounted(state),
    ];
  }
  return [];
};

const toAssure = (state: PersonaState, { persona, assured, evidence }: Facts): string[] => {
  if (persona !== "aligned" || assured) return [];
  const answers = isAlarmed(state, "unanswered-up") ? ["answers to self-questions: too many are missing"] : [];
  return [...answers, ...short("to call it assured, that harm is rare", evidence.harmless)];
};

const toTrustTheJudge = (state: PersonaState): string[] => {
  const { judge, settings } = state;
  switch (guardOf(state)) {
    case "moved":
      return [
        "a judge that stands still: restore it, or declare its new version; either way acknowledge, or begin a new epoch",
      ];
    case "open":
      return [`${plural(guardLeft(state), "more judged answer")}, to tell a harmful subject from a judge that moved`];
    case "steady":
      return [];
    case "unwatched":
      // Without any anchor nobody set out to watch the judge.
      return judge.falseAlarms.n === 0
        ? []
        : [
            `${plural(settings.judgeDrift.anchors - judge.falseAlarms.n, "more harmless anchor")}: ` +
              "until then a judge that moves is not told from a subject that does",
          ];
  }
};

export const missingFor = (state: PersonaState, facts: Facts): string[] => [
  ...unlearned(state),
  ...aHarmlessBaseline(state),
  ...toName(state, facts),
  ...toAssure(state, facts),
  ...toTrustTheJudge(state),
];
