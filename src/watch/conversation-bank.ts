/**
 * Remembers a few recent conversations of a subject for probes to fork. In memory only, bounded in count, size and
 * age: callers' keys are among what it holds, so nothing here is ever logged or stored.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Answered } from "../dialect/answered.ts";
import type { RequestView } from "../dialect/views.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { ConversationSource, LiveConversation, TrafficRhythm } from "../probe/conversations.ts";
import { type RequestTemplate, templateSize } from "../probe/request-template.ts";

interface BankLimits {
  conversations: number;
  /** Size of all conversations kept, in characters of their turns, headers and templates. */
  characters: number;
  /** How long a conversation is kept, in milliseconds. Also how long a caller's key is. */
  ageMs: number;
}

export const defaultBankLimits: BankLimits = { conversations: 64, characters: 1024 * 1024, ageMs: 30 * 60_000 };

export interface ConversationBank extends ConversationSource {
  rhythm: TrafficRhythm;
  /** The app called the subject. */
  noteTraffic(): void;
  /** The app was told that it asks too much. */
  noteRateLimited(): void;
  /** Keeps a conversation and lets older ones go for it; one larger than the whole bank is not kept. */
  keep(conversation: LiveConversation): void;
}

interface BankParts {
  clock: Pick<Clock, "monotonic">;
  random: Random;
  limits?: BankLimits;
}

/** Enough to tell bursts from steady calls, few enough to follow the time of day. */
const pausesKept = 64;

const sizeOf = ({ turns, headers, template }: LiveConversation): number =>
  [...turns.map(({ text }) => text), ...Object.values(headers)].reduce((sum, text) => sum + text.length, 0) +
  (template ? templateSize(template) : 0);

export const createConversationBank = ({ clock, random, limits = defaultBankLimits }: BankParts): ConversationBank => {
  let kept: { conversation: LiveConversation; size: number; at: number }[] = [];
  let lastTraffic: number | null = null;
  const pauses: number[] = [];
  let toCall = new Set<() => void>();
  let lastRateLimited: number | null = null;

  const dropOld = (): void => {
    const oldest = clock.monotonic() - limits.ageMs;
    kept = kept.filter(({ at }) => at > oldest);
  };

  return {
    noteTraffic() {
      const now = clock.monotonic();
      if (lastTraffic !== null) pauses.push(now - lastTraffic);
      if (pauses.length > pausesKept) pauses.shift();
      lastTraffic = now;
      if (toCall.size === 0) return;
      const callbacks = toCall;
      toCall = new Set();
      for (const callback of callbacks) callback();
    },
    noteRateLimited() {
      lastRateLimited = clock.monotonic();
    },
    keep(conversation) {
      const size = sizeOf(conversation);
      if (size > limits.characters) return;
      dropOld();
      kept.push({ conversation, size, at: clock.monotonic() });
      let total = kept.reduce((sum, item) => sum + item.size, 0);
      while (total > limits.characters || kept.length > limits.conversations) total -= kept.shift()?.size ?? 0;
    },
    recent() {
      dropOld();
      return kept[Math.floor(random() * kept.length)]?.conversation ?? null;
    },
    lastTrafficAt: () => lastTraffic,
    rateLimitedAt: () => lastRateLimited,
    rhythm: {
      pauses: () => pauses,
      atNextCall(callback) {
        const once = (): void => callback();
        toCall.add(once);
        return () => toCall.delete(once);
      },
    },
  };
};

const imitated = new Set([
  "accept",
  "accept-language",
  "user-agent",
  // For forks only: `probe/` takes these off everything else.
  "authorization",
  "api-key",
  "x-api-key",
]);
const imitatedBeginnings = ["openai-", "x-stainless-"];

/** Of a request's headers those that make a probe look like the app's own call. */
const headersToImitate = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter(
      (header): header is [string, string] =>
        typeof header[1] === "string" &&
        (imitated.has(header[0]) || imitatedBeginnings.some((beginning) => header[0].startsWith(beginning))),
    ),
  );

/** The conversation with its answer, for probes to fork; null where there is none to go on with. */
export const bankable = (
  request: RequestView,
  answers: readonly Answered[],
  headers: IncomingHttpHeaders,
  context: string | null,
  template: RequestTemplate | null = null,
): LiveConversation | null => {
  const text = answers[0]?.text ?? "";
  // Prompts without roles are no conversation that could be forked.
  if (text.trim() === "" || request.turns.length === 0 || request.prompts !== undefined) return null;
  return {
    turns: [...request.turns, { role: "assistant", text }],
    // An app that streams is imitated by probes that stream.
    parameters: request.stream ? { ...request.parameters, stream: true } : request.parameters,
    headers: headersToImitate(headers),
    context,
    ...(template === null ? {} : { template }),
  };
};
