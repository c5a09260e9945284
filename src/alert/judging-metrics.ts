/** How judging goes: what came of it, how long it took, and what was known already. */
import { Counter, Histogram, type Registry } from "prom-client";
import type { JudgingMeter } from "../classify/cached.ts";
import type { Judgement } from "../classify/classifier.ts";
import { boundedBy, withOther } from "./bounded-label.ts";
import { keepSeries } from "./kept-series.ts";

type Outcome = "judged" | Extract<Judgement, { kind: "error" }>["reason"];

const outcomes: Record<Outcome, true> = {
  judged: true,
  timeout: true,
  unparseable: true,
  unavailable: true,
  "rate-limited": true,
  overloaded: true,
};

/** Seconds: the embedded screen takes well under a millisecond, a judge model up to its timeout. */
const buckets = [0.0001, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40];

export interface JudgingMetrics extends JudgingMeter {
  /** Counts these from now on. */
  classifiers(sources: readonly string[]): void;
}

/** `sources`: the classifiers in use, as in `Judgement.source`. */
export const createJudgingMetrics = (registry: Registry, sources: readonly string[]): JudgingMetrics => {
  const registers = [registry];
  const judgements = new Counter({
    name: "candor_judgements_total",
    help: "Texts that a classifier was asked about, by what came of it; judged, or why not",
    labelNames: ["source", "outcome"],
    registers,
  });
  const duration = new Histogram({
    name: "candor_judgement_duration_seconds",
    help: "Time that a classifier took for one text, errors included, cache hits excluded",
    labelNames: ["source"],
    buckets,
    registers,
  });
  const cacheHits = new Counter({
    name: "candor_judgement_cache_hits_total",
    help: "Texts whose judgement was known already",
    labelNames: ["source"],
    registers,
  });
  const begin = (source: string): void => {
    for (const outcome of Object.keys(outcomes)) judgements.inc({ source, outcome }, 0);
    duration.zero({ source });
    cacheHits.inc({ source }, 0);
  };
  const end = (source: string): void => {
    for (const outcome of Object.keys(outcomes)) judgements.remove({ source, outcome });
    duration.remove({ source });
    cacheHits.remove({ source });
  };
  const exposed = new Map<string, true>();
  let bounded = boundedBy([]);
  const classifiers = (inUse: readonly string[]): void => {
    const names = withOther(inUse);
    for (const source of exposed.keys()) if (!names.includes(source)) end(source);
    keepSeries(exposed, names, (source) => {
      begin(source);
      return true;
    });
    bounded = boundedBy(inUse);
  };
  classifiers(sources);
  return {
    classifiers,
    judged(judgement, durationMs) {
      const source = bounded(judgement.source);
      judgements.inc({ source, outcome: judgement.kind === "judged" ? "judged" : judgement.reason });
      duration.observe({ source }, durationMs / 1000);
    },
    cacheHit: (source) => cacheHits.inc({ source: bounded(source) }),
  };
};
