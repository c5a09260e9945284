/**
 * Wiring, read from top to bottom: build, connect, start, drain. The only place where the parts meet. Holds no logic of
 * its own: what happens to an exchange, a probe or a verdict is written in the part whose name says so.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { createMetrics } from "./alert/metrics.ts";
import { loadAnchors } from "./classify/anchors.ts";
import { cached } from "./classify/cached.ts";
import type { Classifier } from "./classify/classifier.ts";
import {
  configuredClassifier,
  configuredQuestionJudge,
  type JudgingParts,
  judgingConcurrency,
} from "./classify/configured.ts";
import { createJudgingQueue } from "./classify/judging-queue.ts";
import { changedFields } from "./config/changed-fields.ts";
import { listening } from "./config/listening.ts";
import type { Config, Subject, Upstream } from "./config/schema.ts";
import { readSecrets } from "./config/secrets.ts";
import { createControl } from "./control/control.ts";
import { createEgress } from "./egress/egress.ts";
import { createAsk } from "./guard/asking.ts";
import { createGuard } from "./guard/create-guard.ts";
import { knownIn } from "./guard/load-policies.ts";
import { createReloadingGuard } from "./guard/reloading-guard.ts";
import { canonicalJson } from "./kernel/canonical-json.ts";
import { type Clock, systemClock } from "./kernel/clock.ts";
import type { Log } from "./kernel/log.ts";
import type { Random } from "./kernel/random.ts";
import { createNotifications } from "./notify/create-notifications.ts";
import { probeMix, probesTeach } from "./persona/persona.ts";
import type { Verdict } from "./persona/verdict.ts";
import { loadProbeSet } from "./probe/load-probe-set.ts";
import { createProber, type Prober } from "./probe/scheduler.ts";
import { createAsker } from "./probe/subject-asker.ts";
import { createRelay, type Relay } from "./relay/relay.ts";
import { routeNames } from "./relay/routes.ts";
import { createTelemetry } from "./telemetry/create-telemetry.ts";
import { createAnchorRounds } from "./watch/anchor-rounds.ts";
import { noticingRateLimits } from "./watch/app-rate-limits.ts";
import { createConversationBank, defaultBankLimits } from "./watch/conversation-bank.ts";
import { createDecisionLog } from "./watch/decision-log.ts";
import { keptContent } from "./watch/kept-content.ts";
import { createLiveObserver, defaultLiveObserverLimits } from "./watch/live-observer.ts";
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
   * Takes over what can be changed while running: the files of policies. Resolves with what became of it; of other changes
   * with `restart-needed`.
   */
  reload(next: Config): Promise<"unchanged" | "reloaded" | "failed" | "restart-needed">;
  /** The configuration's file has changed and can't be used. */
  reloadFailed(): void;
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
}

const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const version =
  typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "unknown";

/** As many as a plot of the dashboard shows apart. */
const tracePoints = 400;

const upstreamOf = (config: Config, subject: Subject): Upstream => {
  const upstream = config.upstreams.find(({ id }) => id === subject.upstream) ?? config.upstreams[0];
  if (upstream === undefined) throw new Error("a configuration has at least one upstream");
  return upstream;
};

const known = <T>(parts: ReadonlyMap<string, T>, id: string): T => {
  const part = parts.get(id);
  if (part === undefined) throw new Error(`nothing was built for "${id}"`);
  return part;
};

/** Whatever is opened is put into `opened`, which closes all of it, the last first, also when closing one part fails. */
const connect = async (config: Config, surroundings: Surroundings, opened: AsyncDisposableStack): Promise<Candor> => {
  const { env, log, clock = systemClock, random = Math.random } = surroundings;
  const secrets = readSecrets(config, env);
  const { ports = { data: true, control: true }, inProcess = new Map() } = surroundings;
  const egress = createEgress(config.upstreams, { requestHeaders: config.relay.requestHeaders, inProcess });
  opened.defer(egress.close);
  const watched = await openWatchedLog({ evidence: config.evidence, url: secrets.evidenceUrl, clock, random, log });
  // Flushes: what was observed until then is evidence.
  opened.defer(watched.close);
  const { store, replica } = watched;

  // Judging.
  const judgingParts: JudgingParts = {
    keys: secrets,
    fetchFor: egress.fetchFor,
    // Metrics are named after the classifier, so they come later; nothing is asked before they are there.
    meter: {
      called: (classifier, usage) => metrics.classifierCost.called(classifier, usage),
      overBudget: (classifier) => metrics.classifierCost.overBudget(classifier),
    },
    clock,
    log,
  };
  const judging = surroundings.classifier ?? (await configuredClassifier(config.classify, judgingParts));
  const metrics = createMetrics({
    subjects: config.subjects.map(({ id }) => id),
    routes: routeNames,
    classifiers: judging.sources ?? [judging.source],
    receivers: [...config.alerting.alertmanagers, ...config.alerting.webhooks].map(({ id }) => id),
    operationsOf: config.telemetry.genAiMetrics ? config.subjects.flatMap(({ models }) => models) : null,
    replica,
    version,
    clock,
  });
  opened.defer(metrics.close);
  const telemetry = await createTelemetry({
    settings: config.telemetry,
    secrets,
    config,
    fetchFor: egress.fetchFor,
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
  // One line for live answers and probes together: the judge's limits are the judge's, whoever asks.
  const queue = createJudgingQueue({
    classifier: cached(judging, {
      entries: config.classify.cacheEntries,
      meter: telemetry.judging(metrics.judging),
      clock,
    }),
    concurrency: judgingConcurrency(config.classify),
    capacity: config.classify.queue,
  });
  const threshold = config.classify.threshold ?? null;
  const probeThreshold = config.classify.probeThreshold ?? threshold;
  const kept = keptContent(config.evidence.content);

  // Evidence and what it says.
  const probeSets = await Promise.all(config.subjects.map(({ probes }) => loadProbeSet(probes.set)));
  const ledger = await watched.openLedger({
    subjects: config.subjects.map(({ id, models, version, detector }, index) => ({
      id,
      detector,
      versions: {
        models: models.join(", "),
        classifier: judging.source,
        threshold: [...new Set([threshold, probeThreshold])].map(String).join(", "),
        probeSet: probeSets[index]?.version ?? "",
        ...(version === undefined ? {} : { declared: version }),
      },
    })),
    onVerdict: (subject, { persona, severity, reasons }) =>
      log.info({ subject, persona, severity, reason: reasons[0] }, "verdict"),
    onListenerError: (error) => log.error({ error: String(error) }, "a listener of the ledger failed"),
  });

  // The app's own traffic.
  const banks = new Map(
    config.subjects.map(({ id }) => [id, createConversationBank({ clock, random, limits: defaultBankLimits })]),
  );
  const bankOf = (id: string) => known(banks, id);
  const observer = createLiveObserver({
    subjects: config.subjects.map(({ id, live, contexts }) => ({ id, live, contexts, bank: bankOf(id) })),
    onFlagged: (subject, conversation) => known(probers, subject).followUp(conversation),
    queue,
    record: ledger.record,
    keptContent: kept,
    threshold,
    meter: metrics.live,
    clock,
    random,
    limits: { ...defaultLiveObserverLimits, copyBytes: config.limits.copyBytes },
  });
  ledger.subscribe(({ subject, body }) => {
    if (body.kind === "epoch") observer.newEpoch(subject);
  });
  // The embedded screen is always the same.
  const anchoring = config.classify.use !== "screen" && config.classify.anchors.share > 0;
  const anchors = anchoring
    ? createAnchorRounds({
        ...config.classify.anchors,
        set: await loadAnchors(config.classify.anchors.set),
        judge: queue.judge,
        threshold,
        subjects: config.subjects.map(({ id }) => id),
        record: ledger.record,
        isLearned: () => config.subjects.every(({ id }) => ledger.verdict(id).judge.guard !== "unwatched"),
        meter: metrics.anchors,
        random,
      })
    : null;
  // Each replica has its judge judge frozen answers beside its own.
  ledger.subscribe(({ body }, { own }) => {
    if (own && body.kind === "observation") anchors?.observed(body);
  });
  const asking = createAsk({
    classifier: queue.asClassifier,
    judge: await configuredQuestionJudge(config.classify, judgingParts),
    clock,
  });
  const decisions = createDecisionLog({
    record: ledger.decided,
    meter: metrics.decisions,
    clock,
    onError: (error) => log.error({ err: error }, "a decision could not be recorded"),
  });
  const guard = await createReloadingGuard({
    paths: config.policies,
    known: knownIn(config),
    guardOf: (policies) =>
      createGuard({
        policies,
        personaOf: ledger.verdict,
        ask: asking,
        clock,
        failed: (error) => log.error({ err: error }, "a policy could not be evaluated; nothing is passed on"),
      }),
    reloaded(policies) {
      metrics.decisions.policies(policies);
      metrics.reloads.succeeded("policies");
      log.info({ policies: policies.length }, "policies were read anew");
    },
    failed(error) {
      metrics.reloads.failed("policies");
      log.error({ err: error }, "policies can't be read; those read before stay in force");
    },
    clock,
  });
  opened.defer(guard.close);
  metrics.decisions.policies(guard.policies());
  const relay = createRelay({
    guard,
    decisions: telemetry.deciding(decisions),
    holding: {
      answerBytes: config.limits.heldAnswerBytes,
      streamBytes: config.limits.heldStreamBytes,
      keepAliveMs: config.limits.heldKeepAliveMs,
    },
    limits: config.limits,
    relay: config.relay,
    drain: config.drain,
    subjects: config.subjects,
    upstreams: config.upstreams,
    egress,
    keys: secrets.upstream,
    observer: telemetry.observing(observer),
    meter: telemetry.metering(noticingRateLimits(metrics.relay, banks)),
    clock,
    log,
  });
  opened.defer(relay.close);

  // Hidden probes beside it.
  const probers = new Map<string, Prober>(
    config.subjects.map((subject, index) => {
      const { id, probes, models } = subject;
      const upstream = upstreamOf(config, subject);
      const set = probeSets[index];
      if (set === undefined) throw new Error(`no probe set was loaded for ${id}`);
      const upstreamKey = secrets.upstream.get(upstream.id) ?? null;
      const prober = createProber({
        settings: probes,
        set,
        ask: telemetry.probing(
          id,
          createAsker({
            post: egress.postFor(upstream.id),
            model: models[0] ?? "",
            key: secrets.probe.get(id) ?? upstreamKey,
            passCallerKey: upstreamKey === null,
            timeoutMs: probes.timeoutMs,
            maxAnswerTokens: probes.maxAnswerTokens,
            answerBound: probes.answerBound,
            forkTools: probes.forkTools,
            random,
            now: clock.now,
          }),
        ),
        classifier: queue.asClassifier,
        harmThreshold: probeThreshold,
        resampleThreshold: threshold,
        conversations: bankOf(id),
        fleet: watched.probingOf(subject),
        mix: () => probeMix(ledger.verdict(id)),
        phase: () => (probesTeach(ledger.verdict(id)) ? "calibrating" : "monitoring"),
        record: (observation) => ledger.record(id, observation),
        keep: kept,
        clock,
        random,
        meter: metrics.probing(id),
      });
      return [id, prober];
    }),
  );

  // An operator may have paused them at another replica.
  ledger.subscribe(({ subject, body }) => {
    if (body.kind !== "operation") return;
    if (body.act === "pause-probes") void known(probers, subject).stop();
    else known(probers, subject).start();
  });

  // What operators see.
  const probeStatus = (id: string) => ({ ...known(probers, id).status(), lastAnswerAt: ledger.lastProbeAt(id) });
  let stage: "starting" | "serving" | "draining" = "starting";
  metrics.readFrom({
    store,
    ledger,
    probers: config.subjects
      .filter(({ probes }) => probes.enabled)
      .map(({ id, probes }) => ({ subject: id, perHour: probes.perHour, status: () => probeStatus(id) })),
  });
  const notifications = createNotifications({
    settings: config.alerting,
    secrets,
    subjects: () => config.subjects.map(({ id }) => id),
    ledger,
    store,
    readMetrics: metrics.read,
    replica,
    fetchFor: egress.fetchFor,
    meter: metrics.notifications,
    clock,
    random,
    log,
  });
  opened.defer(notifications.close);
  const traces = createVerdictTraces({ store, clock, most: tracePoints });
  opened.defer(traces.close);
  const control = createControl({
    subjects: config.subjects,
    ledger,
    changes: ledger,
    traces,
    policies: () => guard.policies().map((policy) => ({ policy, tally: decisions.tally(policy.id) })),
    onEntry: (listener) => ledger.subscribe(({ subject }) => listener(subject)),
    probes: (id) => (probers.has(id) ? probeStatus(id) : null),
    store,
    metrics,
    lifecycle: {
      started: () => stage !== "starting",
      listening: () => stage !== "starting",
      draining: () => stage === "draining",
    },
    evidencePolicy: config.evidence.whenUnwritable,
    token: secrets.controlToken,
    pepper: secrets.controlPepper ?? randomBytes(32).toString("hex"),
    hostNames: config.control.hostNames,
    version,
    replica,
    clock,
    log,
  });
  opened.defer(control.close);

  let paths = config.policies;
  let stopping: Promise<void> | null = null;
  const drain = async (): Promise<void> => {
    stage = "draining";
    try {
      await Promise.all([relay.drain(), ...[...probers.values()].map((prober) => prober.stop())]);
      await observer.settled();
      await anchors?.settled();
    } finally {
      await opened.disposeAsync();
    }
  };

  const { data, control: controlled } = config.listen;
  const urlOf = ({ host }: { host: string }, port: number): string => `http://${host}:${port}`;
  const dataUrl = ports.data ? urlOf(data, (await listening("listen.data", data, relay.listen)).port) : "";
  const controlUrl = ports.control
    ? urlOf(controlled, await listening("listen.control", controlled, control.listen))
    : "";
  stage = "serving";
  for (const [id, prober] of probers) if (!ledger.probesPaused(id)) prober.start();

  return {
    dataUrl,
    controlUrl,
    accept: relay.accept,
    handle: relay.handle,
    verdict: ledger.verdict,
    metrics: () => metrics.text(),
    async reload({ policies, ...others }) {
      const { policies: _, ...before } = config;
      const fields = changedFields(before, others);
      const needed = fields.length > 0;
      metrics.reloads.succeeded("configuration");
      metrics.reloads.restartNeeded(needed);
      if (needed)
        log.warn({ fields }, "these fields are read at the start alone: restart to have their changes in force");
      const changed = canonicalJson(policies) !== canonicalJson(paths);
      if (!changed) return needed ? "restart-needed" : "unchanged";
      paths = policies;
      const isRead = await guard.use(policies);
      if (!isRead) return "failed";
      return needed ? "restart-needed" : "reloaded";
    },
    reloadFailed: () => metrics.reloads.failed("configuration"),
    stop() {
      if (stopping === null) stopping = drain();
      else relay.drain();
      return stopping;
    },
  };
};

/** Rejects, with everything closed again, when the configuration can't be run. */
export const start = async (config: Config, surroundings: Surroundings): Promise<Candor> => {
  const opened = new AsyncDisposableStack();
  try {
    return await connect(config, surroundings, opened);
  } catch (error) {
    await opened
      .disposeAsync()
      .catch((left) => surroundings.log.error({ err: left }, "not everything could be closed"));
    throw error;
  }
};
