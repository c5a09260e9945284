/** Expressions that both an alert and a panel of the dashboard use, so that what is alerted on is what is drawn. */

/** Reasons that are not how sampling is meant to work. */
const droppedReasons = "busy|failed|queue-full|too-large|undecodable|unreadable";

/**
 * Each from 0 to 1, over a quarter of an hour; absent while there is nothing to divide by.
 * `where`: further matchers of every selector, such as a dashboard's variables.
 */
export const sharesWhere = (...where: readonly string[]) => {
  const rate = (metric: string, ...matchers: readonly string[]): string => {
    const all = [...matchers, ...where].join(", ");
    return `rate(${metric}${all === "" ? "" : `{${all}}`}[15m])`;
  };
  const droppedRate = `sum by (job, instance, subject) (${rate("candor_live_answers_skipped_total", `reason=~"${droppedReasons}"`)})`;
  return {
    judgementsFailed: `sum by (job, instance, source) (${rate("candor_judgements_total", 'outcome!="judged"')})
  / sum by (job, instance, source) (${rate("candor_judgements_total")})`,
    samplesDropped: `${droppedRate}
/ (
  ${droppedRate}
  + sum by (job, instance, subject) (${rate("candor_live_answers_observed_total")})
)`,
    uncovered: `sum by (job, instance, stage) (${rate("candor_guard_coverage_total", 'coverage="none"')})
  / sum by (job, instance, stage) (${rate("candor_guard_coverage_total")})`,
  };
};
