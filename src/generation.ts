/**
 * All that depends on the configuration, built from what lives as long as the process. A generation is built whole or not
 * at all, changes nothing while it is built, and never changes after that: a changed configuration is another generation.
 * An exchange, a probe and a judgement end under the one that they began under.
 */
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import type { ExposedNames, Metrics } from "./alert/metrics.ts";
import { loadAnchors } from "./classify/anchors.ts";
import type { Classifier } from "./classify/classifier.ts";
import type { Config, Subject, Upstream } from "./config/schema.ts";
import type { Secrets } from "./config/secrets.ts";
import { createEgress, type Ways } from "./egress/egress.ts";
import { createAsk } from "./guard/asking.ts";
import { createGuard } from "./guard/create-guard.ts";
import type { Ask } from "./guard/decide.ts";
import { knownIn, loadPolicies } from "./guard/load-policies.ts";
import { type Policy, policyVersion } from "./guard/policy.ts";
import { type Judging, type Judgings, takeJudging } from "./judging.ts";
import { canonicalJson } from "./kernel/canonical-json.ts";
import type { Clock } from "./kernel/clock.ts";
import type { Log } from "./kernel/log.ts";
import type { Random } from "./kernel/random.ts";
import { createUnderWay } from "./kernel/under-way.ts";
import type { Alerting } from "./notify/create-notifications.ts";
import { probeMix, probesTeach } from "./persona/persona.ts";
import { loadProbeSet } from "./probe/load-probe-set.ts";
import type { ProbeSet } from "./probe/probe-set.ts";
import { createProber, type Prober } from "./probe/scheduler.ts";
import { createAsker } from "./probe/subject-asker.ts";
import type { Handling } from "./relay/handling.ts";
import type { Relay } from "./relay/relay.ts";
import type { Telemetry } from "./telemetry/create-telemetry.ts";
import { type AnchorRounds, createAnchorRounds } from "./watch/anchor-rounds.ts";
import { noticingRateLimits } from "./watch/app-rate-limits.ts";
import type { DecisionLog } from "./watch/decision-log.ts";
import type { DeclaredSubject } from "./watch/declared-subject.ts";
import type { HeldBytes } from "./watch/exchange-copies.ts";
import { keptContent } from "./watch/kept-content.ts";
import type { Ledger, Listener } from "./watch/ledger.ts";
import { createLiveObserver, defaultLiveObserverLimits, type LiveObserver } from "./watch/live-observer.ts";
import { memoryOf, type SubjectMemory } from "./watch/subject-memory.ts";
import type { WatchedLog } from "./watch/watched-log.ts";

/** What lives as long as the process, as far as a generation is built from it. */
export interface Lasting {
  clock: Clock;
  random: Random;
  log: Log;
  /** Upstreams that are in this process, by id. */
  inProcess: ReadonlyMap<string, (socket: Duplex) => void>;
  /** Judges instead of the configured classifier. */
  classifier: Classifier | null;
  ways: Ways;
  judgings: Judgings;
  watched: Pick<WatchedLog, "probingOf">;
  ledger: Ledger;
  metrics: Metrics;
  telemetry: Telemetry;
  decisions: DecisionLog;
  relay: Pick<Relay, "prepare">;
  /** By the copies of exchanges of all generations together. */
  held: HeldBytes;
  /** Whether the subject is declared so by the newest generation that knows it. */
  isDeclared(subject: DeclaredSubject): boolean;
  /** Of the newest generation; undefined for a subject that it does not know. */
  proberOf(subject: string): Prober | undefined;
}

export interface Generation {
  config: Config;
  /** Tells it from others: of the configuration and of what it names, without keys. */
  hash: string;
  declared: readonly DeclaredSubject[];
  names: Required<ExposedNames>;
  policies: readonly Policy[];
  alerting: Alerting;
  controlToken: string | null;
  handling: Handling;
  probers: ReadonlyMap<string, Prober>;
  memories: ReadonlyMap<string, SubjectMemory>;
  /** Something came into the log while this is the newest generation. */
  entered: Listener;
  /** Begins to probe. */
  begin(): void;
  /** Begins nothing more; resolves when all that was begun has ended and is judged. */
  finish(): Promise<void>;
  /** Resolves when all that has ended is judged. */
  settled(): Promise<void>;
  /** Ends what is still running: answers visibly incomplete, probes without a trace. */
  breakOff(): Promise<void>;
  /** Lets go of what it is built of. */
  close(): Promise<void>;
}

const upstreamOf = ({ upstreams }: Pick<Config, "upstreams">, subject: Subject): Upstream => {
  const upstream = upstreams.find(({ id }) => id === subject.upstream) ?? upstreams[0];
  if (upstream === undefined) throw new Error("a configuration has at least one upstream");
  return upstream;
};

const known = <T>(parts: ReadonlyMap<string, T>, id: string): T => {
  const part = parts.get(id);
  if (part === undefined) throw new Error(`nothing was built for "${id}"`);
  return part;
};

/** Without what only says where this process is. */
const hashOf = ({ listen: _, evidence, ...config }: Config, named: object): string => {
  const { path: __, replica: ___, ...kept } = evidence;
  return createHash("sha256")
    .update(canonicalJson({ ...config, evidence: kept, named }))
    .digest("hex")
    .slice(0, 12);
};

/** By id of the subject. A set that several have is read once: reading one takes the event loop tens of milliseconds. */
const probeSetsOf = async (subjects: readonly Subject[]): Promise<Map<string, ProbeSet>> => {
  const sources = [...new Set(subjects.map(({ probes }) => probes.set))];
  const bySource = new Map(await Promise.all(sources.map(async (path) => [path, await loadProbeSet(path)] as const)));
  return new Map(subjects.map(({ id, probes }) => [id, known(bySource, probes.set)]));
};

interface Judged {
  classifier: string;
  thresholds: readonly (number | null)[];
  sets: ReadonlyMap<string, ProbeSet>;
}

/** What is declared to be running; the same objects as before for those of which nothing has changed. */
const declaredBy = (
  { subjects }: Config,
  { classifier, thresholds, sets }: Judged,
  before: Generation | null,
): DeclaredSubject[] =>
  subjects.map(({ id, models, version, detector }) => {
    const declared = {
      id,
      detector,
      versions: {
        models: models.join(", "),
        classifier,
        threshold: [...new Set(thresholds)].map(String).join(", "),
        probeSet: known(sets, id).version,
        ...(version === undefined ? {} : { declared: version }),
      },
    };
    const last = before?.declared.find((one) => one.id === id);
    return last !== undefined && canonicalJson(last) === canonicalJson(declared) ? last : declared;
  });

/** What is remembered of each subject. */
const memoriesOf = (
  config: Config,
  before: Generation | null,
  { clock, random }: Lasting,
): Map<string, SubjectMemory> =>
  new Map(
    config.subjects.map((subject) => {
      const upstream = upstreamOf(config, subject);
      return [subject.id, memoryOf({ subject, upstream, before: before?.memories.get(subject.id), clock, random })];
    }),
  );

interface Given {
  config: Config;
  secrets: Secrets;
  /** The newest there is; left alone. */
  before: Generation | null;
}

/**
 * Whatever it takes is put into `taken`. No function in here may speak of `before`: what one of them closes over, all of
 * them keep, and each generation would keep all that were before it.
 */
const build = async ({ config, secrets, before }: Given, lasting: Lasting, taken: AsyncDisposableStack) => {
  const { clock, random, log, ledger, metrics, telemetry, watched } = lasting;
  const { upstreams, subjects, relay, limits, classify } = config;
  const egress = createEgress(upstreams, {
    requestHeaders: relay.requestHeaders,
    inProcess: lasting.inProcess,
    ways: lasting.ways,
  });
  taken.defer(egress.close);

  // Judging.
  const judging: Judging = await takeJudging({ config, secrets, lasting, taken });
  const { queue } = judging;
  const threshold = classify.threshold ?? null;
  const probeThreshold = classify.probeThreshold ?? threshold;
  const kept = keptContent(config.evidence.content);

  // Subjects, and what goes into the log about them.
  const sets = await probeSetsOf(subjects);
  const judged = { classifier: judging.source, thresholds: [threshold, probeThreshold], sets };
  const declared = declaredBy(config, judged, before);
  const declaredById = new Map(declared.map((subject) => [subject.id, subject]));
  /** False where the subject is something else by now: what was seen of it here would be evidence about that. */
  const record = (id: string, seen: Parameters<Ledger["record"]>[1]) =>
    lasting.isDeclared(known(declaredById, id)) && ledger.record(id, seen);
  const memories = memoriesOf(config, before, lasting);
  const banks = new Map([...memories].map(([id, { bank }]) => [id, bank]));

  // The app's own traffic.
  const observer: LiveObserver = createLiveObserver({
    subjects: subjects.map(({ id, live, contexts }) => {
      const memory = known(memories, id);
      return { id, live, contexts, bank: memory.bank, memory: memory.live };
    }),
    onFlagged: (subject, conversation) => lasting.proberOf(subject)?.followUp(conversation),
    queue,
    record,
    keptContent: kept,
    threshold,
    meter: metrics.live,
    clock,
    random,
    limits: { ...defaultLiveObserverLimits, copyBytes: limits.copyBytes },
    held: lasting.held,
  });
  // The embedded screen is always the same.
  const isAnchored = classify.use !== "screen" && classify.anchors.share > 0;
  const anchorSet = isAnchored ? await loadAnchors(classify.anchors.set) : null;
  const anchors: AnchorRounds | null =
    anchorSet === null
      ? null
      : createAnchorRounds({
          ...classify.anchors,
          set: anchorSet,
          judge: queue.judge,
          threshold,
          subjects: subjects.map(({ id }) => id),
          record,
          isLearned: () => subjects.every(({ id }) => ledger.verdict(id).judge.guard !== "unwatched"),
          meter: metrics.anchors,
          random,
        });

  // Policies.
  const policies = await loadPolicies(config.policies, knownIn(config));
  const asked = createUnderWay();
  const asking = createAsk({ classifier: queue.asClassifier, judge: judging.questions, clock });
  const ask: Ask = async (...question) => {
    asked.begin();
    try {
      return await asking(...question);
    } finally {
      asked.end();
    }
  };
  const guard = createGuard({
    policies,
    personaOf: ledger.verdict,
    ask,
    clock,
    failed: (error) => log.error({ err: error }, "a policy could not be evaluated; nothing is passed on"),
  });

  // Exchanges.
  const spans = telemetry.exchanges(config);
  const handling = lasting.relay.prepare({
    ...config,
    egress,
    keys: secrets.upstream,
    guard,
    holding: {
      answerBytes: limits.heldAnswerBytes,
      streamBytes: limits.heldStreamBytes,
      keepAliveMs: limits.heldKeepAliveMs,
      lastEvent: relay.blockedStream,
    },
    decisions: spans.deciding(lasting.decisions),
    observer: spans.observing(observer),
    meter: spans.metering(noticingRateLimits(metrics.relay, banks)),
  });

  // Hidden probes beside them.
  const proberOf = (subject: Subject): Prober => {
    const { id, probes, models } = subject;
    const upstream = upstreamOf(config, subject);
    const upstreamKey = secrets.upstream.get(upstream.id) ?? null;
    const memory = known(memories, id);
    return createProber({
      settings: probes,
      set: known(sets, id),
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
      conversations: memory.bank,
      memory: memory.probing,
      fleet: watched.probingOf(subject),
      mix: () => probeMix(ledger.verdict(id)),
      phase: () => (probesTeach(ledger.verdict(id)) ? "calibrating" : "monitoring"),
      record: (observation) => record(id, observation),
      keep: kept,
      clock,
      random,
      meter: metrics.probing(id),
    });
  };
  const settled = async (): Promise<void> => {
    await observer.settled();
    await anchors?.settled();
  };
  const probers = new Map(subjects.map((subject) => [subject.id, proberOf(subject)]));

  return {
    config,
    hash: hashOf(config, {
      policies: policies.map((policy) => [policy.id, policyVersion(policy)]),
      probeSets: [...sets].map(([id, { version }]) => [id, version]),
      anchors: anchorSet?.version,
      classifier: judging.source,
    }),
    declared,
    names: {
      subjects: subjects.map(({ id }) => id),
      classifiers: judging.sources,
      receivers: [...config.alerting.alertmanagers, ...config.alerting.webhooks].map(({ id }) => id),
      models: config.subjects.flatMap(({ models }) => models),
      policies: policies.map(({ id, stage, action }) => ({ id, stage, action })),
    },
    policies,
    alerting: { settings: config.alerting, secrets: secrets.alerting, subjects: subjects.map(({ id }) => id) },
    controlToken: secrets.controlToken,
    handling,
    probers,
    memories,
    entered({ subject, body }: Parameters<Listener>[0], { own }: Parameters<Listener>[1]) {
      if (body.kind === "epoch") observer.newEpoch(subject);
      // Each replica has its judge judge frozen answers beside its own.
      if (body.kind === "observation" && own) anchors?.observed(body);
      // An operator may have paused them at another replica.
      if (body.kind === "operation" && body.act === "pause-probes") void probers.get(subject)?.stop();
      if (body.kind === "operation" && body.act !== "pause-probes") probers.get(subject)?.start();
    },
    begin() {
      for (const [id, prober] of probers) if (!ledger.probesPaused(id)) prober.start();
    },
    async finish() {
      await Promise.all([handling.over(), ...[...probers.values()].map((prober) => prober.finish())]);
      await settled();
      await asked.none();
    },
    settled,
    async breakOff() {
      handling.breakOff();
      await Promise.all([...probers.values()].map((prober) => prober.stop()));
    },
  };
};

/** Rejects, with everything let go of, where it can't be built; the error says what to mend. */
export const buildGeneration = async (given: Given, lasting: Lasting): Promise<Generation> => {
  const taken = new AsyncDisposableStack();
  try {
    const built = await build(given, lasting, taken);
    return { ...built, close: () => taken.disposeAsync() };
  } catch (error) {
    await taken.disposeAsync();
    throw error;
  }
};
