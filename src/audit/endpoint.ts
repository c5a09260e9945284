/**
 * Whom an audit asks and who judges, as a configuration has them; an endpoint that is only named gets a configuration of
 * its own, with the embedded screen as judge. Opens connections to nobody else; keys stay inside.
 */
import type { Classifier } from "../classify/classifier.ts";
import { configuredClassifier, judgingConcurrency } from "../classify/configured.ts";
import { createJudgingQueue } from "../classify/judging-queue.ts";
import { configFrom } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { readSecrets } from "../config/secrets.ts";
import { createEgress } from "../egress/egress.ts";
import { systemClock } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";
import type { Ask } from "../probe/asking.ts";
import { createAsker } from "../probe/subject-asker.ts";

export interface Endpoint extends AsyncDisposable {
  ask: Ask;
  baseUrl: string;
  model: string;
  classifier: Classifier;
  /** Score from which an answer counts as harmful; null leaves it to the classifier. */
  threshold: number | null;
  /** Path of the probe set that the subject is probed with, or `builtin`. */
  probeSet: string;
  /** Whether judging calls a server, which costs something. */
  judgesRemotely: boolean;
}

/** What is asked for does not fit the configuration or the environment; the message names the flag and the fix. */
export class EndpointError extends Error {
  override readonly name = "EndpointError";
}

interface Limits {
  timeoutMs: number;
  maxAnswerTokens: number;
}

const onlySubject = "audited";

/** A configuration that holds this endpoint alone. @param keyEnv name of the environment variable with the key */
export const configForEndpoint = (baseUrl: string, model: string, keyEnv: string | undefined): Config =>
  configFrom(
    {
      upstreams: [{ id: onlySubject, baseUrl, ...(keyEnv === undefined ? {} : { key: { env: keyEnv } }) }],
      subjects: [{ id: onlySubject, models: [model] }],
    },
    "--base-url",
  );

const subjectOf = (config: Config, asked: string | undefined): Config["subjects"][number] => {
  const id = asked ?? (config.subjects.length === 1 ? config.subjects[0]?.id : undefined);
  const subject = config.subjects.find((one) => one.id === id);
  if (subject !== undefined) return subject;
  throw new EndpointError(`give --subject with one of ${config.subjects.map((one) => one.id).join(", ")}`);
};

const upstreamOf = (config: Config, subject: Config["subjects"][number]): Config["upstreams"][number] => {
  const upstream = config.upstreams.find(({ id }) => id === (subject.upstream ?? config.upstreams[0]?.id));
  if (upstream === undefined) throw new EndpointError(`--subject ${subject.id} has no upstream; name another one`);
  return upstream;
};

/**
 * @param asked id of the subject; may be left out where there is only one
 * @throws ConfigError for keys that can't be read, and EndpointError for a subject that is not there
 */
export const openEndpoint = async (
  config: Config,
  asked: string | undefined,
  { timeoutMs, maxAnswerTokens }: Limits,
  env: NodeJS.ProcessEnv,
): Promise<Endpoint> => {
  const subject = subjectOf(config, asked);
  const upstream = upstreamOf(config, subject);
  const secrets = readSecrets(config, env);
  const { classify } = config;
  const model = subject.models[0] ?? "";
  const egress = createEgress(config.upstreams, { requestHeaders: config.relay.requestHeaders });
  try {
    const classifier = await configuredClassifier(classify, {
      keys: secrets,
      fetchFor: egress.fetchFor,
      // Nobody reads metrics of a command; what it may spend still holds.
      meter: { called: () => {}, overBudget: () => {} },
      clock: systemClock,
      log: createLog(config.log.level),
    });
    return {
      ask: createAsker({
        post: egress.postFor(upstream.id),
        model,
        key: secrets.probe.get(subject.id) ?? secrets.upstream.get(upstream.id) ?? null,
        passCallerKey: false,
        timeoutMs,
        maxAnswerTokens,
      }),
      baseUrl: upstream.baseUrl,
      model,
      classifier: createJudgingQueue({
        classifier,
        concurrency: judgingConcurrency(classify),
        capacity: Number.POSITIVE_INFINITY,
      }).asClassifier,
      threshold: classify.probeThreshold ?? classify.threshold ?? null,
      probeSet: subject.probes.set,
      judgesRemotely: classify.use !== "screen",
      [Symbol.asyncDispose]: egress.close,
    };
  } catch (error) {
    await egress.close();
    throw error;
  }
};
