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
import { createDecisionMetrics, type DecisionMetrics } from "./decision-metrics.ts";
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

interface Options {
  /** Ids of the configured subjects. */
  subjects: readonly string[];
  /** Names of the routes, as the relay reports them. */
  routes: readonly string[];
  /** Classifiers in use, as in `Judgement.source`. */
  classifiers: readonly string[];
  /** Ids of the receivers of alerts. */
  receivers?: readonly string[];
  /** Names of models, where metrics by OpenTelemetry's own names are wanted as well. */
  operationsOf?: readonly string[] | null;
  replica: string;
  version: string;
  clock: Pick<Clock, "now">;
}

/** What exists only after the meters were given away; read at every scrape. */
interface Sources {
  store: Pick<EvidenceStore, "head" | "health">;
  ledger: VerdictSource;
  probers: readonly ExposedProber[];
}

export interface Metrics {
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
  operationsOf = null,
  replica,
  version,
  clock,
}: Options): Metrics => {
  const registry = new Registry();
  const process = exposeProcess(registry, { replica, version });
  let refreshPersona = (): void => {};
  return {
    relay: createRelayMetrics(registry, { subjects, routes }),
    live: createLiveMetrics(registry, subjects),
    judging: createJudgingMetrics(registry, classifiers),
    classifierCost: createClassifierCostMetrics(registry),
    decisions: createDecisionMetrics(registry),
    reloads: createReloadMetrics(registry, clock),
    anchors: createAnchorMetrics(registry),
    exports: createExportMetrics(registry),
    notifications: createNotificationMetrics(registry, receivers),
    operations: operationsOf === null ? null : createOperationMetrics(registry, operationsOf),
    probing: createProbeMetrics(registry, subjects),
    readFrom({ store, ledger, probers }) {
      exposeEvidence(registry, replica, store);
      exposeProbers(registry, probers);
      refreshPersona = exposePersona(registry, subjects, ledger);
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
