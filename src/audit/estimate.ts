/** What an audit will cost, said before it begins. An estimate: no tokeniser is asked, and answers aren't known yet. */
import type { Planned } from "./plan.ts";
import type { AuditIdentity } from "./settings.ts";

export interface Estimate {
  /** Calls to the subject that are still to be made, and those that the journal answers. */
  calls: number;
  answered: number;
  promptTokens: number;
  /** No more than so many: every answer as long as it may be. */
  mostAnswerTokens: number;
  judgements: number;
}

/** Three bytes a token overstates most languages and understates few. */
const tokensOf = (text: string): number => Math.ceil(Buffer.byteLength(text) / 3);

/** Mean lengths of the shipped questions about own outputs without these (docs/probes.md), and of the outputs they show. */
const ownOutputTokens = { recognition: 200, prediction: 80 } as const;

export const estimate = (
  opening: readonly Planned[],
  isAnswered: (id: string) => boolean,
  { sizes, subject }: Pick<AuditIdentity, "sizes" | "subject">,
  answeredOnOutputs: number,
): Estimate => {
  const left = opening.filter(({ id }) => !isAnswered(id));
  const later = Math.max(0, sizes.recognition + sizes.prediction - answeredOnOutputs);
  const instructions = subject.system === null ? 0 : tokensOf(subject.system);
  const perOutput = Math.min(subject.maxAnswerTokens, 250);
  const laterTokens =
    sizes.recognition + sizes.prediction === 0
      ? 0
      : (later / (sizes.recognition + sizes.prediction)) *
        (sizes.recognition * (ownOutputTokens.recognition + 2 * perOutput) +
          sizes.prediction * (ownOutputTokens.prediction + perOutput / 2));
  const openingTokens = left.reduce(
    (sum, { question }) => sum + question.turns.reduce((turns, { text }) => turns + tokensOf(text), 0),
    0,
  );
  return {
    calls: left.length + later,
    answered: opening.length - left.length + answeredOnOutputs,
    promptTokens: Math.round(openingTokens + laterTokens + later * instructions),
    mostAnswerTokens: (left.length + later) * subject.maxAnswerTokens,
    judgements: left.filter(({ plan }) => plan.experiment === "harmfulness").length,
  };
};
