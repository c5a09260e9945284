/**
 * What a model server replied, whether to a chat or to a raw prompt: the text of its one choice and how likely each token
 * was. Reasoning that comes beside the text is dropped here and reaches nobody.
 */
import { z } from "zod";

interface LikelyToken {
  token: string;
  /** Natural logarithm of its probability. */
  logprob: number;
}

export interface GuardReply {
  text: string;
  /** The model stopped of its own accord; false when it ran into the token limit. */
  finished: boolean;
  /** Each token with the likeliest ones in its place, itself among them. Null where the server gives none. */
  tokens: { token: string; likely: LikelyToken[] }[] | null;
}

/** Servers give -9999 or null for what is next to impossible. */
const logprob = z.number().max(0.01).nullish();
const finishReason = z.string().nullish();

const chatToken = z.looseObject({
  token: z.string(),
  logprob,
  top_logprobs: z.array(z.looseObject({ token: z.string(), logprob })).nullish(),
});
const chatChoice = z
  .looseObject({
    message: z.looseObject({ content: z.string() }),
    finish_reason: finishReason,
    logprobs: z
      .looseObject({ content: z.array(chatToken).nullish() })
      .nullish()
      .catch(null),
  })
  .transform(
    ({ message, finish_reason, logprobs }): GuardReply => ({
      text: message.content,
      finished: finish_reason !== "length",
      tokens: withItself(logprobs?.content?.map((one) => ({ ...one, top: one.top_logprobs ?? [] }))),
    }),
  );

const rawLogprobs = z
  .looseObject({
    tokens: z.array(z.string()),
    token_logprobs: z.array(logprob).nullish(),
    top_logprobs: z.array(z.record(z.string(), logprob).nullish()).nullish(),
  })
  .nullish()
  .catch(null);
const rawChoice = z.looseObject({ text: z.string(), finish_reason: finishReason, logprobs: rawLogprobs }).transform(
  ({ text, finish_reason, logprobs }): GuardReply => ({
    text,
    finished: finish_reason !== "length",
    tokens: withItself(
      logprobs?.tokens.map((token, at) => ({
        token,
        logprob: logprobs.token_logprobs?.[at],
        top: Object.entries(logprobs.top_logprobs?.[at] ?? {}).map(([likely, value]) => ({
          token: likely,
          logprob: value,
        })),
      })),
    ),
  }),
);

type Told = { token: string; logprob?: number | null | undefined };

const known = ({ token, logprob }: Told): LikelyToken[] => (typeof logprob === "number" ? [{ token, logprob }] : []);

/** Some servers leave the token that was chosen out of the likely ones. */
function withItself(tokens: (Told & { top: Told[] })[] | undefined): GuardReply["tokens"] {
  if (tokens === undefined || tokens.length === 0) return null;
  return tokens.map(({ token, logprob, top }) => ({
    token,
    likely: (top.some((one) => one.token === token) ? top : [{ token, logprob }, ...top]).flatMap(known),
  }));
}

const reply = z.looseObject({ choices: z.tuple([z.union([chatChoice, rawChoice])]) });

/** Null for anything but a reply with exactly one choice that holds text. */
export const readReply = (body: unknown): GuardReply | null => {
  const read = reply.safeParse(body);
  return read.success ? read.data.choices[0] : null;
};
