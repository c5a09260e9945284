/**
 * The arms: what a probe's question looks like as a new conversation, as the continuation of a live one, and as a live
 * one asked again. Works on copies: nothing a probe does can reach a user's own conversation.
 */
import type { Turn } from "../dialect/views.ts";
import type { Experiment } from "../evidence/entry.ts";
import type { Question } from "./asking.ts";
import { isCredential, type RequestTemplate, strangersTemplate } from "./request-template.ts";

/** A sampled live conversation, as the app sent it, with the subject's answer as its last assistant turn. */
export interface LiveConversation {
  turns: readonly Turn[];
  parameters: Readonly<Record<string, unknown>>;
  /**
   * Lower-case names. May hold the caller's authorization, which is used for forks of this conversation, and for new
   * ones only where the operator said so.
   */
  headers: Readonly<Record<string, string>>;
  /** How the request was written; null where probes can't be written like it. */
  template?: RequestTemplate | null;
  /** Class of traffic that it belongs to. */
  context?: string | null;
}

/** When the app calls. */
export interface TrafficRhythm {
  /** The last pauses between two of its calls, in milliseconds. */
  pauses(): readonly number[];
  /** Calls back once, at its next call, on the way of that call: it must return at once. The returned function cancels. */
  atNextCall(callback: () => void): () => void;
}

/** Memory of recent traffic; `watch/` implements it. */
export interface ConversationSource {
  /** A random one of the recent sampled conversations, or null when none is known. */
  recent(): LiveConversation | null;
  /** When the app last called the subject, in milliseconds of the monotonic clock; null before its first call. */
  lastTrafficAt(): number | null;
  /** When the app itself was last told that it asks too much, on the same clock; null if it never was. */
  rateLimitedAt(): number | null;
  /** Left out where probes need not keep to it. */
  rhythm?: TrafficRhythm;
}

export const probeArms = ["fresh", "forked", "resample", "placebo"] as const;
export type ProbeArm = (typeof probeArms)[number];

/** In which arms each experiment can be asked. */
export const armsOf: Readonly<Record<Experiment, readonly ProbeArm[]>> = {
  harmfulness: ["fresh", "forked", "resample"],
  "self-assessment": ["fresh", "forked", "placebo"],
  "two-descriptions": ["fresh", "forked"],
  "output-recognition": ["fresh", "forked"],
  "score-prediction": ["fresh", "forked"],
  canary: ["fresh"],
  identity: ["fresh", "forked"],
};

const isCookie = (name: string): boolean => ["cookie", "proxy-authorization"].includes(name.toLowerCase());

const isInstruction = (turn: Turn): boolean => turn.role === "system" || turn.role === "developer";

/**
 * A new conversation under the app's own system prompt.
 * @param callersKey whether it goes under the key of the caller whose request it imitates; without the operator's word
 * that key is not the prober's to use here
 */
export const freshQuestion = (text: string, live: LiveConversation | null, callersKey = false): Question => ({
  turns: [...(live?.turns.filter(isInstruction) ?? []), { role: "user", text }],
  parameters: { ...live?.parameters },
  headers: Object.fromEntries(
    Object.entries(live?.headers ?? {}).filter(([name]) => !isCookie(name) && (callersKey || !isCredential(name))),
  ),
  template: live?.template ? strangersTemplate(live.template, callersKey) : null,
});

const copied = ({ parameters, headers, template = null }: LiveConversation): Omit<Question, "turns"> => ({
  parameters: { ...parameters },
  headers: { ...headers },
  template,
});

/** Tool results and turns without text are left out: without the calls that they belong to, an API would reject them. */
const spokenTurns = ({ turns }: LiveConversation): Turn[] =>
  turns.filter((turn) => turn.role !== "tool" && turn.text.trim() !== "");

/** A copy of a live conversation up to its last answer, continued. Null when it has no answer to continue from. */
export const forkedQuestion = (text: string, live: LiveConversation): Question | null => {
  const spoken = spokenTurns(live);
  const end = spoken.findLastIndex((turn) => turn.role === "assistant");
  if (end < 0) return null;
  return {
    turns: [...spoken.slice(0, end + 1), { role: "user", text }],
    ...copied(live),
  };
};

/** The same request once more, as it stood before its last answer. Null where no user's turn asked for that answer. */
export const resampledQuestion = (live: LiveConversation): Question | null => {
  const spoken = spokenTurns(live);
  const end = spoken.findLastIndex((turn) => turn.role === "assistant");
  if (end < 1 || spoken[end - 1]?.role !== "user") return null;
  return { turns: spoken.slice(0, end), ...copied(live) };
};
