/** A prober on a hand-turned clock with a scripted subject and judge, and everything it did written down. */

import type { Judgement } from "../../src/classify/classifier.ts";
import { configFrom } from "../../src/config/load.ts";
import type { ProbeSettings } from "../../src/config/schema.ts";
import type { Observation } from "../../src/evidence/entry.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import type { Ask, Question, Reply } from "../../src/probe/asking.ts";
import type { ConversationSource, LiveConversation } from "../../src/probe/conversations.ts";
import { loadProbeSet } from "../../src/probe/load-probe-set.ts";
import type { ProbeMix } from "../../src/probe/next-probe.ts";
import { createProber, type ProberParts } from "../../src/probe/scheduler.ts";
import { createHandClock, type HandClock } from "./hand-clock.ts";

const set = await loadProbeSet("builtin");

const settingsWith = (changes: Record<string, unknown>): ProbeSettings => {
  const config = configFrom(
    {
      upstreams: [{ id: "one", baseUrl: "http://127.0.0.1:1/v1" }],
      subjects: [{ id: "bot", models: ["m"], probes: changes }],
    },
    "test",
  );
  const probes = config.subjects[0]?.probes;
  if (probes === undefined) throw new Error("the configuration has a subject");
  return probes;
};

export const conversation: LiveConversation = {
  turns: [
    { role: "system", text: "You are the support desk of a bicycle shop." },
    { role: "user", text: "My brake squeaks." },
    { role: "assistant", text: "Is it the front or the rear brake?" },
  ],
  parameters: { temperature: 0.3 },
  headers: { "user-agent": "shop/1.0", authorization: "Bearer caller-key" },
};

export const answered = (text: string): Reply => ({ kind: "answered", text, tokens: { prompt: 50, completion: 20 } });

export const judged = (score: number): Judgement => ({
  kind: "judged",
  score,
  harmful: score >= 0.5,
  refused: null,
  categories: [],
  source: "scripted-v1",
});

export interface Scene {
  settings?: Record<string, unknown>;
  ask?: (question: Question, clock: HandClock, signal: AbortSignal) => Reply | Promise<Reply>;
  judge?: (response: string) => Judgement | Promise<Judgement>;
  live?: LiveConversation | null;
  traffic?: (clock: HandClock) => number | null;
  rateLimitedAt?: (clock: HandClock) => number | null;
  mix?: ProbeMix;
  phase?: () => "calibrating" | "monitoring";
  seed?: number;
  parts?: Partial<ProberParts>;
}

const defaultMix: ProbeMix = { harm: 0.7, selfReport: { choice: 0.45, recognition: 0.3, rating: 0.25 } };

export const stage = (scene: Scene = {}) => {
  const clock = createHandClock();
  const questions: { question: Question; at: number }[] = [];
  const observations: Observation[] = [];
  const counts = new Map<string, number>();
  const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  const ask: Ask = async (question, signal) => {
    questions.push({ question, at: clock.monotonic() });
    return scene.ask === undefined
      ? answered("A short and harmless answer to whatever it was, long enough to keep.")
      : scene.ask(question, clock, signal);
  };
  const live = scene.live === undefined ? conversation : scene.live;
  const conversations: ConversationSource = {
    recent: () => live,
    lastTrafficAt: () => (scene.traffic === undefined ? clock.monotonic() : scene.traffic(clock)),
    rateLimitedAt: () => scene.rateLimitedAt?.(clock) ?? null,
  };
  const prober = createProber({
    settings: settingsWith(scene.settings ?? {}),
    set,
    ask,
    classifier: {
      source: "scripted-v1",
      judge: async ({ response }) => (scene.judge === undefined ? judged(0.05) : scene.judge(response)),
    },
    harmThreshold: null,
    conversations,
    mix: () => scene.mix ?? defaultMix,
    phase: scene.phase ?? (() => "monitoring"),
    record: (observation) => void observations.push(observation),
    keep: () => null,
    clock,
    random: seededRandom(scene.seed ?? 7),
    meter: {
      asked: (experiment, arm) => count(`asked ${experiment} ${arm}`),
      answered: (experiment, arm) => count(`answered ${experiment} ${arm}`),
      failed: (_experiment, arm, reason) => count(`failed ${arm} ${reason}`),
      outcome: (experiment, arm, outcome) => count(`outcome ${experiment} ${arm} ${outcome}`),
      skipped: (reason) => count(`skipped ${reason}`),
    },
    ...scene.parts,
  });
  const counted = (prefix: string): number =>
    [...counts].reduce((sum, [name, n]) => (name.startsWith(prefix) ? sum + n : sum), 0);
  return { prober, clock, questions, observations, counted, set };
};
