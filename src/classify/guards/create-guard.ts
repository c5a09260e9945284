/** A guard model behind an OpenAI-compatible API as a classifier: one adapter, one client, and nothing said but its verdict. */

import type { Classifier, JudgedText, Judgement } from "../classifier.ts";
import { excerptOf } from "../judge-excerpt.ts";
import type { GuardAdapter } from "./guard-adapter.ts";
import { type Answered, createGuardClient, type Fault, type GuardServer } from "./guard-client.ts";
import { type GuardReply, readReply } from "./guard-reply.ts";

export interface GuardedModel extends GuardServer {
  adapter: GuardAdapter;
  /** Its name on the server. */
  model: string;
  /** Longer prompts and answers are cut in the middle. */
  maxAnswerChars: number;
}

const unparseable = (detail: string): Fault => ({ kind: "error", reason: "unparseable", detail });

const repliesIn = (answers: readonly Answered[]): GuardReply[] | Fault => {
  const replies: GuardReply[] = [];
  for (const answer of answers) {
    if (answer.kind === "error") return answer;
    const reply = readReply(answer.body);
    if (reply === null) return unparseable("the reply is not a completion with one choice");
    replies.push(reply);
  }
  return replies;
};

export const createGuardClassifier = ({ adapter, model, maxAnswerChars, ...server }: GuardedModel): Classifier => {
  const source = `${adapter.id}:${adapter.version}:${model}`;
  const client = createGuardClient(server);

  const readingOf = async ({ prompt, response }: JudgedText, signal: AbortSignal | undefined) => {
    const text = {
      prompt: prompt === null ? null : excerptOf(prompt, maxAnswerChars),
      response: excerptOf(response, maxAnswerChars),
    };
    const replies = repliesIn(
      await client.within(signal, (post) => Promise.all(adapter.requests(text, model).map(post))),
    );
    if (!Array.isArray(replies)) return replies;
    const reading = adapter.read(replies);
    return reading === "unparseable" ? unparseable("the verdict is not in the model's own format") : reading;
  };

  return {
    source,
    judge: async (text, signal): Promise<Judgement> => ({ ...(await readingOf(text, signal)), source }),
  };
};
