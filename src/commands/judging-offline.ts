/** The classifier of a configuration, to judge a file with it while no Candor runs; without one, the embedded screen. */
import type { Classifier } from "../classify/classifier.ts";
import { configuredClassifier, judgingConcurrency } from "../classify/configured.ts";
import { loadScreens } from "../classify/screens.ts";
import type { Thresholds } from "../classify/training/judged-rows.ts";
import { loadConfig } from "../config/load.ts";
import { readSecrets } from "../config/secrets.ts";
import { createEgress } from "../egress/egress.ts";
import { systemClock } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";

export interface OfflineJudging extends AsyncDisposable {
  classifier: Classifier;
  thresholds: Thresholds;
  concurrency: number;
}

const withScreen = async (): Promise<OfflineJudging> => ({
  classifier: await loadScreens({ probesBy: "probeModel" }),
  thresholds: { live: null, probe: null },
  concurrency: 1,
  async [Symbol.asyncDispose]() {},
});

/** @throws ConfigError, and ScreenError for a model that can't be loaded */
export const judgingOffline = async (path: string | undefined, env: NodeJS.ProcessEnv): Promise<OfflineJudging> => {
  if (path === undefined) return withScreen();
  const config = await loadConfig(path);
  const egress = createEgress(config.upstreams, { requestHeaders: config.relay.requestHeaders });
  try {
    const { threshold = null, probeThreshold = threshold } = config.classify;
    const classifier = await configuredClassifier(config.classify, {
      keys: readSecrets(config, env),
      fetchFor: egress.fetchFor,
      // Nobody reads metrics of a command; what it may spend still holds.
      meter: { called: () => {}, overBudget: () => {} },
      clock: systemClock,
      log: createLog(config.log.level),
    });
    return {
      classifier,
      thresholds: { live: threshold, probe: probeThreshold },
      concurrency: judgingConcurrency(config.classify),
      [Symbol.asyncDispose]: egress.close,
    };
  } catch (error) {
    await egress.close();
    throw error;
  }
};
