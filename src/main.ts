/**
 * Wiring, read from top to bottom: what lives as long as the process is built and connected, the first generation of what
 * depends on the configuration is put in force, the ports are opened, changes are followed, all is drained. Holds no logic
 * of its own: what happens to an exchange, a probe or a verdict is written in the part whose name says so.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { createMetrics } from "./alert/metrics.ts";
import type { Classifier } from "./classify/classifier.ts";
import { type ConfigSource, type FollowedConfig, followConfig } from "./config/followed-config.ts";
import { listening } from "./config/listening.ts";
import type { Config } from "./config/schema.ts";
import { changedFixedSecrets, readSecrets } from "./config/secrets.ts";
import { takenOver } from "./config/taken-over.ts";
import { createControl } from "./control/control.ts";
import { createEgress, createWays } from "./egress/egress.ts";
import { buildGeneration, type Generation, type Lasting } from "./generation.ts";
import { createGenerations } from "./generations.ts";
import { createJudgings } from "./judging.ts";
import { type Clock, systemClock } from "./kernel/clock.ts";
import type { Log } from "./kernel/log.ts";
import type { Random } from "./kernel/random.ts";
import { createNotifications } from "./notify/create-notifications.ts";
import type { Verdict } from "./persona/verdict.ts";
import { createRelay, type Relay } from "./relay/relay.ts";
import { routeNames } from "./relay/routes.ts";
import { createTelemetry } from "./telemetry/create-telemetry.ts";
import { createDecisionLog } from "./watch/decision-log.ts";
import { createVerdictTraces } from "./watch/verdict-trace.ts";
import { openWatchedLog } from "./watch/watched-log.ts";

export interface Candor extends Pick<Relay, "accept" | "handle"> {
  /** Where apps find the API: `http://127.0.0.1:8080`, without /v1. Empty where the port was not to be opened. */
  dataUrl: string;
  controlUrl: string;
  verdict(subject: string): Verdict;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
  /**
   * Puts another configuration in force, all of it but the fields that are read at the start alone: these are logged.
   * Rejects where it can't be; then nothing has changed.
   */
  reload(next: Config): Promise<void>;
  /** Drains: running answers finish, evidence is written. A second call does not wait for answers any more. */
  stop(): Promise<void>;
}

export interface Surroundings {
  env: NodeJS.ProcessEnv;
  log: Log;
  clock?: Clock;
  random?: Random;
  /** Both ports are opened unless it is said otherwise. */
  ports?: { data: boolean; control: boolean };
  /** Upstreams that are in this process, by id: each is given connections as a server is by its port. */
  inProcess?: ReadonlyMap<string, (socket: Duplex) => void>;
  /** Judges instead of the configured classifier; for the demo, which plays back recorded judgements. */
  classifier?: Classifier;
  /** Told of every configuration that is put in force, of the first one before anything is built. */
  configured?(config: Config): void;
}

const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const version =
  typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "unknown";

/** As many as a plot of the dashboard shows apart. */
const tracePoints = 400;

/** Whatever is opened is put into `opened`, which closes all of it, the last first, also when closing one part fails. */
const connect = async (
  followed: FollowedConfig,
  surroundings: Surroundings,
  opened: AsyncDisposableStack,
): Promise<Candor> => {
  const { config: first } = followed;
  const { env, log, clock = systemClock, random = Math.random, configured = () => {} } = surroundings;
  const { ports = { data: true, control: true }, inProcess = new Map(), classifier = null } = surroundings;
  configured(first);
  const secrets = readSecrets(first, env);

  // Evidence.
  const ways = createWays();
  const watched = await openWatchedLog({ evidence: first.evidence, url: secrets.evidenceUrl, clock, random, log });
  // Flushes: what was observed until then is evidence.
  opened.defer(watched.close);
  const { store, replica } = watched;
  // Each generation declares its subjects.
  const ledger = await watched.openLedger({
    subjects: [],
    onVerdict: (subject, { persona, severity, reasons }) =>
      log.info({ subject, persona, severity, reason: reasons[0] }, "verdict"),
    onListenerError: (error) => log.error({ error: String(error) }, "a listener of the ledger failed"),
  });

  // What is told of it all.
  const { genAiMetrics } = first.telemetry;
  const metrics = createMetrics({
    ...{ subjects: [], classifiers: [], routes: routeNames, genAiMetrics, replica, version, clock },
  });
  opened.defer(metrics.close);
  const exportEgress = createEgress([], { requestHeaders: first.relay.requestHeaders, ways });
  opened.defer(exportEgress.close);
  const telemetry = await createTelemetry({
    settings: first.telemetry,
    secrets,
    fetchFor: exportEgress.fetchFor,
    readMetrics: metrics.families,
    meter: metrics.exports,
    operations: metrics.operations,
    version,
    replica,
    clock,
    random,
    log,
  });
  opened.defer(telemetry.close);
  const decisions = createDecisionLog({
    record: ledger.decided,
    meter: metrics.decisions,
    clock,
    onError: (error) => log.error({ err: error }, "a decision could not be recorded"),
  });
  const notifications = createNotifications({
    ledger,
    store,
    readMetrics: metrics.read,
    replica,
    connect(baseUrl, ownHeaders) {
      const egress = createEgress([], { ways });
      return { fetch: egress.fetchFor(baseUrl, ownHeaders), close: egress.close };
    },
    meter: metrics.notifications,
    clock,
    random,
    log,
  });
  opened.defer(notifications.close);

  // The data port, and whatever stands behind it by the configuration.
  const relay = createRelay({ limits: first.limits, drain: first.drain, meter: metrics.relay, clock, log });
  const generations = createGenerations<Generation>({
    declare: ledger.declare,
    expose: metrics.expose,
    inForce(generation) {
      relay.use(generation.handling);
      notifications.use(generation.alerting);
      metrics.reloads.inForce(generation.hash);
      configured(generation.config);
    },
    clock,
    onError: (error) => log.error({ err: error }, "a configuration that was replaced could not be ended"),
  });
  opened.defer(generations.close);
  opened.defer(relay.close);
  const proberOf = (subject: string) => generations.newest()?.probers.get(subject);
  ledger.subscribe((entry, told) => generations.newest()?.entered(entry, told));
  const lasting: Lasting = {
    ...{ clock, random, log, inProcess, classifier, ways, watched, ledger, metrics, telemetry, decisions, relay },
    judgings: createJudgings(),
    held: { bytes: 0 },
    isDeclared: generations.isDeclared,
    proberOf,
  };
  const enter = async (config: Config, keys: typeof secrets): Promise<void> => {
    const next = await buildGeneration({ config, secrets: keys, before: generations.newest() }, lasting);
    try {
      await generations.enter(next);
    } catch (error) {
      await next.close();
      throw error;
    }
  };
  await enter(first, secrets);

  // What operators see.
  const { current } = generations;
  const probeStatus = (id: string) => {
    const prober = proberOf(id);
    return prober === undefined ? null : { ...prober.status(), lastAnswerAt: ledger.lastProbeAt(id) };
  };
  const exposedProbers = () =>
    current().config.subjects.flatMap(({ id, probes }) => {
      const prober = proberOf(id);
      if (!probes.enabled || prober === undefined) return [];
      const status = () => ({ ...prober.status(), lastAnswerAt: ledger.lastProbeAt(id) });
      return [{ subject: id, perHour: probes.perHour, since: current().memories.get(id)?.since ?? 0, status }];
    });
  metrics.readFrom({
    store,
    ledger,
    subjects: () => current().names.subjects,
    ending: generations.ending,
    probers: exposedProbers,
  });
  const traces = createVerdictTraces({ store, clock, most: tracePoints });
  opened.defer(traces.close);
  let stage: "starting" | "serving" | "draining" = "starting";
  const control = createControl({
    subjects: () => current().config.subjects,
    ledger,
    changes: ledger,
    traces,
    policies: () => current().policies.map((policy) => ({ policy, tally: decisions.tally(policy.id) })),
    onEntry: (listener) => ledger.subscribe(({ subject }) => listener(subject)),
    probes: probeStatus,
    store,
    metrics,
    lifecycle: {
      started: () => stage !== "starting",
      listening: () => stage !== "starting",
      draining: () => stage === "draining",
    },
    evidencePolicy: () => current().config.evidence.whenUnwritable,
    token: () => current().controlToken,
    pepper: secrets.controlPepper ?? randomBytes(32).toString("hex"),
    hostNames: () => current().config.control.hostNames,
    version,
    replica,
    clock,
    log,
  });
  opened.defer(control.close);

  const { data, control: controlled } = first.listen;
  const urlOf = ({ host }: { host: string }, port: number): string => `http://${host}:${port}`;
  const dataUrl = ports.data ? urlOf(data, (await listening("listen.data", data, relay.listen)).port) : "";
  const controlUrl = ports.control
    ? urlOf(controlled, await listening("listen.control", controlled, control.listen))
    : "";
  stage = "serving";
  current().begin();

  // Changes of the configuration.
  const takeOver = async (next: Config): Promise<void> => {
    const { config, needRestart } = takenOver(first, next);
    const keys = readSecrets(next, env);
    await enter(config, keys);
    const fields = [...needRestart, ...changedFixedSecrets(secrets, keys)];
    metrics.reloads.restartNeeded(fields.length > 0);
    log.info({ hash: current().hash }, "the configuration has changed");
    if (fields.length > 0)
      log.warn({ fields }, "these fields are read at the start alone: restart to have their changes in force");
  };
  followed.follow({
    takeOver,
    succeeded: metrics.reloads.succeeded,
    failed(error) {
      metrics.reloads.failed();
      log.error({ err: error }, "the configuration can't be used; the one read before stays in force");
    },
  });

  let stopping: Promise<void> | null = null;
  const drain = async (): Promise<void> => {
    stage = "draining";
    try {
      const answered = relay.drain();
      await followed.close();
      await generations.drain(answered);
    } finally {
      await opened.disposeAsync();
    }
  };
  return {
    dataUrl,
    controlUrl,
    accept: relay.accept,
    handle: relay.handle,
    verdict: ledger.verdict,
    metrics: () => metrics.text(),
    reload: followed.give,
    stop() {
      if (stopping === null) stopping = drain();
      else relay.drain();
      return stopping;
    },
  };
};

/**
 * Rejects, with everything closed again, when the configuration can't be run.
 * @param given a configuration, or where it is read from; a file is followed, and so are the files that it names
 */
export const start = async (given: Config | ConfigSource, surroundings: Surroundings): Promise<Candor> => {
  const source = "read" in given ? given : { file: null, read: async () => given };
  const opened = new AsyncDisposableStack();
  try {
    const followed = await followConfig({ source, clock: surroundings.clock ?? systemClock });
    opened.defer(followed.close);
    return await connect(followed, surroundings, opened);
  } catch (error) {
    await opened
      .disposeAsync()
      .catch((left) => surroundings.log.error({ err: left }, "not everything could be closed"));
    throw error;
  }
};
