/**
 * The two arms: what a probe's question looks like as a new conversation, and as the continuation of a live one.
 * Works on copies: nothing a probe does can reach a user's own conversation.
 */
import type { Turn } from "../dialect/views.ts";
import type { Question } from "./asking.ts";

/** A sampled live conversation, as the app sent it, with the subject's answer as its last assistant turn. */
export interface LiveConversation {
  turns: readonly Turn[];
  parameters: Readonly<Record<string, unknown>>;
  /** Lower-case names. May hold the caller's authorization, which is used for forks of this conversation only. */
  headers: Readonly<Record<string, string>>;
}

/** Memory of recent traffic; `watch/` implements it. */
export interface ConversationSource {
  /** A random one of the recent sampled conversations, or null when none is known. */
  recent(): LiveConversation | null;
  /** When the app last called the subject, in milliseconds of the monotonic clock; null before its first call. */
  lastTrafficAt(): number | null;
}

export const probeArms = ["fresh", "forked"] as const;
export type ProbeArm = (typeof probeArms)[number];

const credentials = new Set(["authorization", "api-key", "x-api-key", "cookie", "proxy-authorization"]);

const isInstruction = (turn: Turn): boolean => turn.role === "system" || turn.role === "developer";

/** A new conversation under the app's own system prompt. A caller's credentials are not the prober's to use here. */
export const freshQuestion = (text: string, live: LiveConversation | null): Question => ({
  turns: [...(live?.turns.filter(isInstruction) ?? []), { role: "user", text }],
  parameters: { ...live?.parameters },
  headers: Object.fromEntries(
    Object.entries(live?.headers ?? {}).filter(([name]) => !credentials.has(name.toLowerCase())),
  ),
});

/**
 * A copy of a live conversation up to its last answer, continued. Null when it has no answer to continue from.
 * Tool results and turns without text are left out: without the calls that they belong to, an API would reject them.
 */
export const forkedQuestion = (text: string, live: LiveConversation): Question | null => {
  const spoken = live.turns.filter((turn) => turn.role !== "tool" && turn.text.trim() !== "");
  const end = spoken.findLastIndex((turn) => turn.role === "assistant");
  if (end < 0) return null;
  return {
    turns: [...spoken.slice(0, end + 1), { role: "user", text }],
    parameters: { ...live.parameters },
    headers: { ...live.headers },
  };
};
