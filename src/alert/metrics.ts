/**
 * Everything that Candor exposes to Prometheus, in a registry of its own. Implements the meters that the other modules
 * count with. No label value ever comes from a client, so the number of series is known from the configuration.
 */
import { setImmediate } from "node:timers/promises";
import { Registry } from "prom-client";
import type { JudgingMeter } from "../classify/cached.ts";
import type { CostMeter } from "../classify/spending.ts";
import type { EvidenceStore } from "../evidence/store.ts";
import type { Clock } from "../kernel/clock.ts";
import type { NotificationMeter } from "../notify/notification.ts";
import type { ProbeMeter } from "../probe/probe-meter.ts";
import type { RelayMeter } from "../relay/exchange.ts";
import type { ExportMeter } from "../telemetry/exporting.ts";
import type { OperationMeter } from "../telemetry/operation.ts";
import type { MetricFamily } from "../telemetry/wire.ts";
import type { AnchorMeter } from "../watch/anchor-rounds.ts";
import type { WatchMeter } from "../watch/watch-meter.ts";
import { createAnchorMetrics } from "./anchor-metrics.ts";
import { createClassifierCostMetrics } from "./classifier-cost-metrics.ts";
import { type Counted, createDecisionMetrics, type DecisionMetrics } from "./decision-metrics.ts";
import { exposeEvidence } from "./evidence-metrics.ts";
import { createExportMetrics } from "./export-metrics.ts";
import { expositionOf, familiesIn, familiesNamed } from "./exposition.ts";
import { createJudgingMetrics } from "./judging-metrics.ts";
import { createLiveMetrics } from "./live-metrics.ts";
import { createNotificationMetrics } from "./notification-metrics.ts";
import { createOperationMetrics } from "./operation-metrics.ts";
import { exposePersona, type VerdictSource } from "./persona-metrics.ts";
import { createProbeMetrics, type ExposedProber, exposeProbers } from "./probe-metrics.ts";
import { exposeProcess } from "./process-metrics.ts";
import { createRelayMetrics } from "./relay-metrics.ts";
import { createReloadMetrics, type ReloadMeter } from "./reload-metrics.ts";

/** Values of labels that a configuration gives. */
export interface ExposedNames {
  /** Ids of the configured subjects. */
  subjects: readonly string[];
  /** Classifiers in use, as in `Judgement.source`. */
  classifiers: readonly string[];
  /** Ids of the receivers of alerts. */
  receivers?: readonly string[];
  policies?: readonly Counted[];
  /** Names of models, for metrics by OpenTelemetry's own names. */
  models?: readonly string[];
}

interface Options extends ExposedNames {
  /** Names of the routes, as the relay reports them. */
  routes: readonly string[];
  /** Whether metrics by OpenTelemetry's own names are wanted as well. */
  genAiMetrics?: boolean;
  replica: string;
  version: string;
  clock: Pick<Clock, "now">;
}

/** What exists only after the meters were given away; read at every scrape. */
interface Sources {
  store: Pick<EvidenceStore, "head" | "health">;
  ledger: VerdictSource;
  /** Ids of those whose verdicts are shown. */
  subjects(): readonly string[];
  probers(): readonly ExposedProber[];
  /** How many configurations that were replaced something still runs under. */
  ending(): number;
}

export interface Metrics {
  /** Series of new names begin at 0, those of names that are not among these go. */
  expose(names: ExposedNames): void;
  relay: RelayMeter;
  live: WatchMeter;
  judging: JudgingMeter;
  classifierCost: CostMeter;
  decisions: DecisionMetrics;
  reloads: ReloadMeter;
  anchors: AnchorMeter;
  notifications: NotificationMeter;
  exports: ExportMeter;
  /** Null where it is not wanted. */
  operations: OperationMeter | null;
  probing(subject: string): ProbeMeter;
  /** Exposes the log, the verdicts and the probers' state; call it once. */
  readFrom(sources: Sources): void;
  contentType: string;
  /** The exposition of everything, as of now. */
  text(): Promise<string>;
  /** The same as values. */
  families(): Promise<MetricFamily[]>;
  /** Some of them as they are now, without those that are not there; what the verdict says is as of the last scrape. */
  read(names: readonly string[]): Promise<MetricFamily[]>;
  /** Ends the measuring of the event loop. */
  close(): void;
}

export const createMetrics = ({
  subjects,
  routes,
  classifiers,
  receivers = [],
  policies = [],
  models = [],
  genAiMetrics = false,
  replica,
  version,
  clock,
}: Options): Metrics => {
  const registry = new Registry();
  const process = exposeProcess(registry, { replica, version });
  let refreshPersona = (): void => {};
  let ending = (): number => 0;
  const relay = createRelayMetrics(registry, { subjects, routes });
  const live = createLiveMetrics(registry, subjects);
  const judging = createJudgingMetrics(registry, classifiers);
  const decisions = createDecisionMetrics(registry);
  const notifications = createNotificationMetrics(registry, receivers);
  const probes = createProbeMetrics(registry, subjects);
  const operations = genAiMetrics ? createOperationMetrics(registry, models) : null;
  decisions.policies(policies);
  return {
    expose(names) {
      for (const metrics of [relay, live, probes]) metrics.subjects(names.subjects);
      judging.classifiers(names.classifiers);
      notifications.receivers(names.receivers ?? []);
      decisions.policies(names.policies ?? []);
      operations?.models(names.models ?? []);
    },
    relay,
    live,
    judging,
    classifierCost: createClassifierCostMetrics(registry),
    decisions,
    reloads: createReloadMetrics(registry, clock, () => ending()),
    anchors: createAnchorMetrics(registry),
    exports: createExportMetrics(registry),
    notifications,
    operations,
    probing: probes.of,
    readFrom(sources) {
      exposeEvidence(registry, replica, sources.store);
      exposeProbers(registry, sources.probers);
      refreshPersona = exposePersona(registry, sources.subjects, sources.ledger);
      ending = sources.ending;
    },
    contentType: registry.contentType,
    async text() {
      refreshPersona();
      return expositionOf(registry, setImmediate);
    },
    async families() {
      refreshPersona();
      return familiesIn(registry, setImmediate);
    },
    read: (names) => familiesNamed(registry, names),
    close: process.stop,
  };
};
