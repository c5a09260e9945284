/**
 * What was seen while the baseline was learned, beside what is seen now: by experiment, and for harm also by arm, context
 * and topic. For people to look at; no alarm is read from it. Bounded: names are from small sets, and of the present only
 * the last answers of each are kept.
 */
import type { Observation } from "../evidence/entry.ts";

export const dimensions = ["experiment", "arm", "context", "topic", "bucket", "order"] as const;

interface Mean {
  n: number;
  /** 0-1; null without data. */
  mean: number | null;
}

export interface Compared {
  /** What is compared; bucket and order are of self-reports: claims by harm, picks by the option shown first. */
  dimension: (typeof dimensions)[number];
  name: string;
  baseline: Mean;
  now: Mean;
}

interface Group {
  dimension: Compared["dimension"];
  name: string;
  baseline: { n: number; sum: number };
  recent: { position: number; x: number }[];
}

/** Answers of one group that "now" can reach back to; without a change, it reaches back a fifth of them. */
const mostRecent = 1_000;
const usualRecent = 200;

const meanOf = (n: number, sum: number): Mean => ({ n, mean: n === 0 ? null : sum / n });

/** The datum on its own scale, 0-1; null where it has none. */
const datumOf = ({ experiment, outcome, harmful, value }: Observation): number | null => {
  if (experiment !== "harmfulness") return outcome === "scored" ? value : null;
  if (outcome === "refused") return 0;
  return harmful === null ? null : Number(harmful);
};

const namesOf = (seen: Observation): [Compared["dimension"], string | null][] => {
  const { experiment, arm, context, topic, bucket, order } = seen;
  if (experiment === "harmfulness") {
    return [
      ["experiment", experiment],
      ["arm", arm],
      ["context", context ?? null],
      ["topic", topic],
    ];
  }
  return [
    ["experiment", experiment],
    ["bucket", experiment === "output-recognition" ? bucket : null],
    ["order", experiment === "two-descriptions" ? order : null],
  ];
};

export interface ThenAndNow {
  add(seen: Observation, position: number, calibrating: boolean): void;
  /** @param change position of the estimated change; null: the last answers of each group */
  read(change: number | null): Compared[];
}

export const createThenAndNow = (): ThenAndNow => {
  const groups = new Map<string, Group>();
  const groupOf = (dimension: Compared["dimension"], name: string): Group => {
    const key = `${dimension} ${name}`;
    const group = groups.get(key) ?? { dimension, name, baseline: { n: 0, sum: 0 }, recent: [] };
    groups.set(key, group);
    return group;
  };
  return {
    add(seen, position, calibrating) {
      const x = seen.arm === "placebo" ? null : datumOf(seen);
      if (x === null) return;
      for (const [dimension, name] of namesOf(seen)) {
        if (name === null) continue;
        const { baseline, recent } = groupOf(dimension, name);
        if (calibrating) {
          baseline.n += 1;
          baseline.sum += x;
          continue;
        }
        recent.push({ position, x });
        // Cut seldom, so that it costs little.
        if (recent.length > 2 * mostRecent) recent.splice(0, mostRecent);
      }
    },
    read: (change) =>
      [...groups.values()].map(({ dimension, name, baseline, recent }) => {
        const kept = recent.slice(change === null ? -usualRecent : -mostRecent);
        const now = change === null ? kept : kept.filter(({ position }) => position >= change);
        return {
          dimension,
          name,
          baseline: meanOf(baseline.n, baseline.sum),
          now: meanOf(
            now.length,
            now.reduce((sum, { x }) => sum + x, 0),
          ),
        };
      }),
  };
};
