/** The guard that operators get, over policies that a test writes. */
import type { QuestionJudge } from "../../src/classify/question-judge.ts";
import { createAsk } from "../../src/guard/asking.ts";
import { createGuard } from "../../src/guard/create-guard.ts";
import type { Guard } from "../../src/guard/guard.ts";
import { policySchema } from "../../src/guard/policy.ts";
import { systemClock } from "../../src/kernel/clock.ts";

interface Options {
  judge?: QuestionJudge | null;
  /** Harm that the classifier finds in a text; it fails without one. */
  score?: (text: string) => number;
  personaOf?: (subject: string) => { persona: string };
}

export const realGuard = (policies: Record<string, unknown>[], options: Options = {}): Guard => {
  const { judge = null, score, personaOf = () => ({ persona: "aligned" }) } = options;
  return createGuard({
    policies: policies.map((policy, index) =>
      policySchema.parse({ id: `p${index}`, description: "of a test", action: "block", ...policy }),
    ),
    personaOf,
    ask: createAsk({
      classifier: {
        async judge({ response }) {
          if (score === undefined) return { kind: "error", reason: "unavailable", detail: "", source: "test" };
          const harm = score(response);
          return { kind: "judged", score: harm, harmful: harm > 0.5, refused: null, categories: [], source: "test" };
        },
      },
      judge,
      clock: systemClock,
    }),
  });
};
