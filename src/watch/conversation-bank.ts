/**
 * Remembers a few recent conversations of a subject for probes to fork. In memory only, bounded in count, bytes and
 * age: callers' keys are among what it holds, so nothing here is ever logged or stored.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { ConversationSource, LiveConversation } from "../probe/conversations.ts";

export interface BankLimits {
  conversations: number;
  /** Bytes of all conversations kept, as `keep` was told them. */
  bytes: number;
  /** How long a conversation is kept, in milliseconds. Also how long a caller's key is. */
  ageMs: number;
}

export const defaultBankLimits: BankLimits = { conversations: 64, bytes: 1024 * 1024, ageMs: 30 * 60_000 };

export interface ConversationBank extends ConversationSource {
  /** The app called the subject. */
  noteTraffic(): void;
  /** Keeps a conversation of this size and lets older ones go for it; one larger than the whole bank is not kept. */
  keep(conversation: LiveConversation, bytes: number): void;
}

interface BankParts {
  clock: Pick<Clock, "monotonic">;
  random: Random;
  limits?: BankLimits;
}

export const createConversationBank = ({ clock, random, limits = defaultBankLimits }: BankParts): ConversationBank => {
  let kept: { conversation: LiveConversation; bytes: number; at: number }[] = [];
  let lastTraffic: number | null = null;

  const dropOld = (): void => {
    const oldest = clock.monotonic() - limits.ageMs;
    kept = kept.filter(({ at }) => at > oldest);
  };

  return {
    noteTraffic() {
      lastTraffic = clock.monotonic();
    },
    keep(conversation, bytes) {
      if (bytes > limits.bytes || limits.conversations === 0) return;
      dropOld();
      kept.push({ conversation, bytes, at: clock.monotonic() });
      let total = kept.reduce((sum, item) => sum + item.bytes, 0);
      while (total > limits.bytes || kept.length > limits.conversations) total -= kept.shift()?.bytes ?? 0;
    },
    recent() {
      dropOld();
      return kept[Math.floor(random() * kept.length)]?.conversation ?? null;
    },
    lastTrafficAt: () => lastTraffic,
  };
};

const imitated = new Set([
  "accept",
  "user-agent",
  "openai-organization",
  "openai-project",
  // For forks only: `probe/` takes these two off everything else.
  "authorization",
  "api-key",
]);

/** Of a request's headers those that make a probe look like the app's own call. */
export const headersToImitate = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter(
      (header): header is [string, string] =>
        typeof header[1] === "string" && (imitated.has(header[0]) || header[0].startsWith("x-stainless-")),
    ),
  );
