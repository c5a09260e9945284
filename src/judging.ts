/**
 * The configured classifier with its line, its cache and its way out. Generations whose configurations ask for the same have
 * the same, so that what was judged is known on, and a judge's limits hold for all of them together.
 */
import { createHash } from "node:crypto";
import type { Metrics } from "./alert/metrics.ts";
import { cached } from "./classify/cached.ts";
import type { Classifier } from "./classify/classifier.ts";
import { configuredClassifier, configuredQuestionJudge, judgingConcurrency } from "./classify/configured.ts";
import { createJudgingQueue, type JudgingQueue } from "./classify/judging-queue.ts";
import type { QuestionJudge } from "./classify/question-judge.ts";
import type { SpentHour } from "./classify/spending.ts";
import type { Config } from "./config/schema.ts";
import type { Secrets } from "./config/secrets.ts";
import { contentOf } from "./config/watched-files.ts";
import { createEgress, type Ways } from "./egress/egress.ts";
import { canonicalJson } from "./kernel/canonical-json.ts";
import type { Clock } from "./kernel/clock.ts";
import type { Log } from "./kernel/log.ts";
import { createSharedParts, type SharedParts } from "./kernel/shared-parts.ts";
import type { Telemetry } from "./telemetry/create-telemetry.ts";

export interface Judging {
  /** One line for live answers and probes together: the judge's limits are the judge's, whoever asks. */
  queue: JudgingQueue;
  /** Null where no judge is configured. */
  questions: QuestionJudge | null;
  source: string;
  /** As in `Judgement.source`. */
  sources: readonly string[];
  close(): Promise<void>;
}

export interface Judgings {
  shared: SharedParts<Promise<Judging>>;
  /** Of the hour, by who spends; whatever the settings are by now. */
  spent: Map<string, SpentHour>;
}

export const createJudgings = (): Judgings => ({
  // One that could not be built has closed what it opened.
  shared: createSharedParts((judging) =>
    judging.then(
      ({ close }) => close(),
      () => {},
    ),
  ),
  spent: new Map(),
});

interface Options {
  config: Pick<Config, "classify" | "relay">;
  secrets: Pick<Secrets, "judge" | "guard" | "moderation">;
  lasting: {
    /** Judges instead of the configured classifier. */
    classifier: Classifier | null;
    judgings: Judgings;
    ways: Ways;
    metrics: Pick<Metrics, "classifierCost" | "judging">;
    telemetry: Pick<Telemetry, "judging">;
    clock: Clock;
    log: Log;
  };
  taken: AsyncDisposableStack;
}

const build = async ({ config, secrets, lasting }: Options): Promise<Judging> => {
  const { classify, relay } = config;
  const { judgings, metrics, telemetry, clock, log, ways } = lasting;
  const egress = createEgress([], { requestHeaders: relay.requestHeaders, ways });
  const parts = {
    keys: secrets,
    fetchFor: egress.fetchFor,
    meter: metrics.classifierCost,
    clock,
    log,
    spent: judgings.spent,
  };
  try {
    const classifier = lasting.classifier ?? (await configuredClassifier(classify, parts));
    const queue = createJudgingQueue({
      classifier: cached(classifier, {
        entries: classify.cacheEntries,
        meter: telemetry.judging(metrics.judging),
        clock,
      }),
      concurrency: judgingConcurrency(classify),
      capacity: classify.queue,
    });
    const { source, sources = [source] } = classifier;
    return { queue, questions: await configuredQuestionJudge(classify, parts), source, sources, close: egress.close };
  } catch (error) {
    await egress.close();
    throw error;
  }
};

/** @throws what the configured classifier can't be built for */
export const takeJudging = async (options: Options): Promise<Judging> => {
  const { config, secrets, lasting, taken } = options;
  const { threshold: _, probeThreshold: __, anchors: ___, ...settings } = config.classify;
  const { judge, guard, moderation } = secrets;
  const models = [settings.screen.model, settings.screen.probeModel].filter((folder) => folder !== undefined);
  const made = canonicalJson({
    settings,
    requestHeaders: config.relay.requestHeaders,
    keys: { judge, guard, moderation },
    models: await Promise.all(models.map(contentOf)),
  });
  // A digest, as there are keys in it.
  const { part, release } = lasting.judgings.shared.take(createHash("sha256").update(made).digest("hex"), () =>
    build(options),
  );
  taken.defer(release);
  return part;
};
