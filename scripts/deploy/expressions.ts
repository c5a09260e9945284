/** Expressions that both an alert and a panel of the dashboard use, so that what pages is what is drawn. */

const dropped = "busy|failed|queue-full|too-large|undecodable|unreadable";
const droppedRate = `sum by (job, instance, subject) (
  rate(candor_live_answers_skipped_total{reason=~"${dropped}"}[15m])
)`;

/** Each from 0 to 1, over a quarter of an hour; absent while there is nothing to divide by. */
export const shares = {
  judgementsFailed: `sum by (job, instance, source) (rate(candor_judgements_total{outcome!="judged"}[15m]))
  / sum by (job, instance, source) (rate(candor_judgements_total[15m]))`,
  samplesDropped: `${droppedRate}
/ (
${droppedRate}
  + sum by (job, instance, subject) (rate(candor_live_answers_observed_total[15m]))
)`,
  uncovered: `sum by (job, instance, stage) (rate(candor_guard_coverage_total{coverage="none"}[15m]))
  / sum by (job, instance, stage) (rate(candor_guard_coverage_total[15m]))`,
};
