/**
 * The classifier that a configuration asks for, built from its parts. Those that call a server are read only where one is
 * configured: their client takes megabytes.
 */
import type { ClassifySettings } from "../config/schema.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import { createCascade } from "./cascade.ts";
import type { Classifier } from "./classifier.ts";
import type { QuestionJudge } from "./question-judge.ts";
import { loadScreens } from "./screens.ts";
import { type CostMeter, createSpending, nothingSpent, type SpentHour } from "./spending.ts";
import { withBreaker } from "./with-breaker.ts";

type Remote = "judge" | "guard" | "moderation";

export interface JudgingParts {
  /** Keys by classifier; null for servers that need none. */
  keys: Record<Remote, string | null>;
  /** The only way to the network, by base URL. */
  fetchFor(baseUrl: string): typeof globalThis.fetch;
  meter: CostMeter;
  clock: Pick<Clock, "monotonic">;
  log: Pick<Log, "warn" | "info">;
  /** What was spent already, by who spent it; it is counted on. Left out by who begins with full budgets. */
  spent?: Map<string, SpentHour>;
}

/** The hour of one spender: the same for every classifier that is built for it. */
const hourOf = (spender: string, { spent }: JudgingParts): SpentHour => {
  const hour = spent?.get(spender) ?? nothingSpent();
  spent?.set(spender, hour);
  return hour;
};

/** The schema has seen to it that what is used is there. */
const present = <T>(part: T | undefined, name: string): T => {
  if (part === undefined) throw new Error(`classify.${name} is missing`);
  return part;
};

const remote = async (name: Remote, settings: ClassifySettings, surroundings: JudgingParts): Promise<Classifier> => {
  const { keys, fetchFor, meter, clock } = surroundings;
  const { callsPerHour = null, tokensPerHour = null } = present(settings[name], name);
  const budget = { callsPerHour, tokensPerHour };
  const spending = createSpending({ classifier: name, budget, meter, clock, hour: hourOf(name, surroundings) });
  switch (name) {
    case "judge": {
      const judge = present(settings.judge, name);
      const { createJudge } = await import("./judge.ts");
      return createJudge({ ...judge, spending, key: keys.judge, fetch: fetchFor(judge.baseUrl) });
    }
    case "guard": {
      const { kind, ...server } = present(settings.guard, name);
      const { createGuard } = await import("./guards/registry.ts");
      return createGuard({ ...server, spending, guard: kind, key: keys.guard, fetch: fetchFor(server.baseUrl) });
    }
    case "moderation": {
      const moderation = present(settings.moderation, name);
      const { createModeration } = await import("./moderation.ts");
      return createModeration({ ...moderation, spending, key: keys.moderation, fetch: fetchFor(moderation.baseUrl) });
    }
  }
};

/** Throws an error that names the field where the options of a guard model are not its own. */
export const configuredClassifier = async (
  settings: ClassifySettings,
  surroundings: JudgingParts,
): Promise<Classifier> => {
  const { use, cascade, breaker } = settings;
  const guarded = async (name: Remote): Promise<Classifier> =>
    withBreaker(await remote(name, settings, surroundings), {
      failures: breaker.failures,
      share: breaker.failureShare,
      window: breaker.window,
      restMs: breaker.restSeconds * 1000,
      clock: surroundings.clock,
      log: surroundings.log,
    });
  if (use === "screen") return loadScreens(settings.screen);
  if (use !== "cascade") return guarded(use);
  const { second, confirm } = present(cascade, use);
  return createCascade({
    screens: await loadScreens(settings.screen),
    second: await guarded(second),
    confirm: confirm === undefined ? null : await guarded(confirm),
  });
};

/** The judge with a question of an operator's; null where no judge is configured. Has the budget of a judge for itself. */
export const configuredQuestionJudge = async (
  settings: ClassifySettings,
  surroundings: JudgingParts,
): Promise<QuestionJudge | null> => {
  if (settings.judge === undefined) return null;
  const { createQuestionJudge } = await import("./question-judge.ts");
  const { keys, fetchFor, meter, clock } = surroundings;
  const { callsPerHour = null, tokensPerHour = null, ...judge } = settings.judge;
  const budget = { callsPerHour, tokensPerHour };
  const hour = hourOf("questions", surroundings);
  const spending = createSpending({ classifier: "judge", budget, meter, clock, hour });
  return createQuestionJudge({ ...judge, spending, key: keys.judge, fetch: fetchFor(judge.baseUrl) });
};

/** Judgements that may be under way at once: what the slowest stage bears. */
export const judgingConcurrency = (settings: ClassifySettings): number => {
  const { use, cascade } = settings;
  if (use === "screen") return 1;
  const stages = use === "cascade" ? [cascade?.second, cascade?.confirm] : [use];
  return Math.min(...stages.flatMap((name) => (name === undefined ? [] : (settings[name]?.concurrency ?? []))));
};

/** Who judges, for people. */
export const describeClassifier = (settings: ClassifySettings): string => {
  const server = (name: Remote): string => {
    const at = settings[name];
    const what = name === "guard" ? `guard model ${settings.guard?.kind}` : name;
    return `${what} ${at?.model} at ${at?.baseUrl}`;
  };
  const { use, cascade } = settings;
  if (use === "screen")
    return "the embedded screen. It is a screen, not a guard, and misses much: configure a judge or a guard model";
  if (use !== "cascade") return server(use);
  const { second = "judge", confirm } = cascade ?? {};
  return `the embedded screen (a screen, not a guard), then ${server(second)}${confirm === undefined ? "" : `, then ${server(confirm)} on what was flagged`}`;
};
