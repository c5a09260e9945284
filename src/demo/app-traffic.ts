/**
 * An app like any other: asks its questions through Candor with an unmodified `openai` client, at a bounded rate, and
 * knows nothing of Candor but the base URL.
 */
import OpenAI from "openai";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import { askEverydayQuestion, followUps, systemPrompt } from "./everyday-questions.ts";
import { oneOf } from "./keyed-random.ts";
import type { ChatMessage } from "./openai-server.ts";

/** What the app is going to ask. */
export interface Script {
  /** Null when there is nothing to ask at present; it is asked for again. */
  next(): Conversation | null;
}

interface Conversation {
  messages: ChatMessage[];
  /** Asked in the same conversation after the answer; empty for one exchange only. */
  followUp: string | null;
}

const multiTurnShare = 0.2;
const streamedShare = 0.4;

export const everydayScript = (random: Random): Script => ({
  next: () => ({
    messages: [
      { role: "system", content: systemPrompt },
      { role: "user", content: askEverydayQuestion(random) },
    ],
    followUp: random() < multiTurnShare ? oneOf(followUps, random) : null,
  }),
});

interface TrafficParts {
  /** Where the app sends its calls; ends in /v1. */
  baseUrl: string;
  model: string;
  script: Script;
  random: Random;
  clock: Pick<Clock, "after">;
  /** Conversations begun per second. */
  perSecond: number;
  /** Most conversations at once; beyond it, beginnings are left out. */
  concurrency: number;
}

export interface TrafficCounts {
  exchanges: number;
  failed: number;
  lastError: string | null;
}

export interface AppTraffic {
  setRate(perSecond: number): void;
  counts(): TrafficCounts;
  /** True while the script has nothing to ask and every answer is there. */
  finished(): boolean;
  stop(): Promise<void>;
}

type SdkMessage = OpenAI.ChatCompletionMessageParam;

const toSdk = ({ role, content }: ChatMessage): SdkMessage =>
  role === "system" || role === "assistant" ? { role, content } : { role: "user", content };

export const startAppTraffic = (parts: TrafficParts): AppTraffic => {
  const { model, script, random, clock, concurrency } = parts;
  const client = new OpenAI({ baseURL: parts.baseUrl, apiKey: "sk-demo-app", maxRetries: 0, timeout: 30_000 });
  const counts: TrafficCounts = { exchanges: 0, failed: 0, lastError: null };
  const underWay = new Set<Promise<void>>();
  const abort = new AbortController();
  let perSecond = parts.perSecond;
  let idle = false;
  let cancelTimer = (): void => {};

  const ask = async (messages: ChatMessage[]): Promise<string> => {
    const body = { model, messages: messages.map(toSdk), temperature: 0.7, max_tokens: 400 };
    const { signal } = abort;
    if (random() >= streamedShare) {
      const answer = await client.chat.completions.create(body, { signal });
      return answer.choices[0]?.message.content ?? "";
    }
    const stream = await client.chat.completions.create({ ...body, stream: true }, { signal });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    return text;
  };

  const converse = async ({ messages, followUp }: Conversation): Promise<void> => {
    try {
      const answer = await ask(messages);
      counts.exchanges += 1;
      if (followUp === null) return;
      await ask([...messages, { role: "assistant", content: answer }, { role: "user", content: followUp }]);
      counts.exchanges += 1;
    } catch (error) {
      if (abort.signal.aborted) return;
      counts.failed += 1;
      counts.lastError = error instanceof Error ? error.message : String(error);
    }
  };

  const begin = (): void => {
    if (underWay.size < concurrency) {
      const conversation = script.next();
      idle = conversation === null;
      if (conversation !== null) {
        const work = converse(conversation).finally(() => underWay.delete(work));
        underWay.add(work);
      }
    }
    cancelTimer = clock.after(1000 / perSecond, begin);
  };

  begin();
  return {
    setRate(next) {
      perSecond = next;
    },
    counts: () => ({ ...counts }),
    finished: () => idle && underWay.size === 0,
    async stop() {
      cancelTimer();
      abort.abort();
      await Promise.allSettled(underWay);
    },
  };
};
