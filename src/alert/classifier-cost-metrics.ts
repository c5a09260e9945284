/** What the classifiers behind a network cost: calls and tokens, and what the hour's budget did not allow. */
import { Counter, type Registry } from "prom-client";
import type { CostMeter } from "../classify/spending.ts";

/** The names that a configuration gives them: as many series, whatever models are behind them. */
const classifiers = ["judge", "guard", "moderation"] as const;

export const createClassifierCostMetrics = (registry: Registry): CostMeter => {
  const registers = [registry];
  const calls = new Counter({
    name: "candor_classifier_calls_total",
    help: "Requests sent to a judge, guard model or moderation service, failed ones included",
    labelNames: ["classifier"],
    registers,
  });
  const tokens = new Counter({
    name: "candor_classifier_tokens_total",
    help: "Tokens that these requests took, as the server counts them; estimated from the request where it does not say",
    labelNames: ["classifier", "kind"],
    registers,
  });
  const overBudget = new Counter({
    name: "candor_classifier_over_budget_total",
    help: "Requests that were not sent because the hour's budget was used up",
    labelNames: ["classifier"],
    registers,
  });
  for (const classifier of classifiers) {
    calls.inc({ classifier }, 0);
    overBudget.inc({ classifier }, 0);
    for (const kind of ["prompt", "completion"]) tokens.inc({ classifier, kind }, 0);
  }
  return {
    called(classifier, { prompt, completion }) {
      calls.inc({ classifier });
      tokens.inc({ classifier, kind: "prompt" }, prompt);
      tokens.inc({ classifier, kind: "completion" }, completion);
    },
    overBudget: (classifier) => overBudget.inc({ classifier }),
  };
};
