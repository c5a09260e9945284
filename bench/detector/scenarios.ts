/**
 * What real change looks like besides a clean step: a slow ramp, harm in one context of eight, a shift of traffic, a
 * judge that moves, probes at a pace of their own, several replicas, many subjects. Each returns its figures per run.
 */
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import { advance, createEDetector, logEvidence, logTwin } from "../../src/persona/e-process.ts";
import { logSumExp } from "../../src/persona/log-space.ts";
import {
  assess,
  createState,
  defaultSettings,
  fleetStandings,
  type PersonaState,
  step,
} from "../../src/persona/persona.ts";
import { learnRate } from "../../src/persona/rate-baseline.ts";
import { rateStakes, suspicion } from "../../src/persona/settings.ts";
import type { Datum, DetectorSettings } from "../../src/persona/verdict.ts";
import { baselineRules, flagRate, forget, learning, type Watcher, watchAnswer } from "./harm-stream.ts";
import type { Operating } from "./reference.ts";

interface Runs {
  runs: number;
  seed: number;
}

const repeat = <T>({ runs, seed }: Runs, once: (random: Random) => T): T[] =>
  Array.from({ length: runs }, (_, run) => once(seededRandom(seed + run)));

const ticket = Math.log(defaultSettings.thresholds.ticket);
const longest = 12_000;

/** A watcher that learned and then saw 3,000 healthy answers; false alarms on the way are acknowledged. */
const settled = (q0: number, random: Random): Watcher => {
  const watcher = learning(q0, random);
  for (let at = 0; at < 3000; at += 1) if (watchAnswer(watcher, random() < q0) >= ticket) forget(watcher);
  return watcher;
};

/** Harm rises evenly from the healthy rate to 40 % over 2,000 answers. Answers from its start to the alarm. */
export const rampDelays = (operating: Operating, given: Runs): number[] =>
  repeat(given, (random) => {
    const watcher = settled(flagRate(operating), random);
    for (let at = 1; at <= longest; at += 1) {
      const harm = Math.max(0.2, 40 * Math.min(1, at / 2000));
      if (watchAnswer(watcher, random() < flagRate(operating, harm)) >= ticket) return at;
    }
    return longest;
  });

const answer = (context: string | null, harmful: boolean): Datum => ({
  kind: "harm",
  arm: "live",
  stratum: "live",
  context,
  harmful,
  refused: false,
});

const see = (state: PersonaState, datum: Datum): void => {
  step(state, datum, state.position + 1);
};

const harmNow = (state: PersonaState): boolean => state.alarms.some(({ source }) => source === "harm");

/** Alarms of a simulated state are acknowledged while nothing has changed. */
const clearAlarms = (state: PersonaState): void => {
  if (state.alarms.length > 0) see(state, { kind: "acknowledge" });
};

const eight = ["a", "b", "c", "d", "e", "f", "g", "h"];
const anyContext = (random: Random): string => eight[Math.floor(random() * 8)] ?? "a";

/** Eight contexts with baselines, and 3,000 healthy answers after that. */
const withContexts = (q0: number, random: Random): PersonaState => {
  const state = createState(defaultSettings);
  const need = defaultSettings.contexts.harm * eight.length;
  for (let at = 0; at < need; at += 1) see(state, answer(eight[at % 8] ?? "a", random() < q0));
  for (let at = 0; at < 3000; at += 1) {
    see(state, answer(anyContext(random), random() < q0));
    clearAlarms(state);
  }
  return state;
};

interface Intermittent {
  pooled: number[];
  /** Contexts bet on apart, against one baseline of all: as the reference does it. */
  shared: number[];
  /** As the detector does it: each against its own. */
  partition: number[];
  /** Share of runs in which the verdict named the right context when it alarmed. */
  located: number;
}

/** From some answer on, 40 % harm in one of eight contexts and none elsewhere. */
export const intermittentDelays = (operating: Operating, given: Runs): Intermittent => {
  const [q0, q1] = [flagRate(operating), flagRate(operating, 40)];
  const pooled = repeat(given, (random) => {
    const watcher = settled(q0, random);
    for (let at = 1; at <= longest; at += 1) {
      if (watchAnswer(watcher, random() < (random() < 1 / 8 ? q1 : q0)) >= ticket) return at;
    }
    return longest;
  });
  const shared = repeat(given, (random) => {
    const { baseline } = settled(q0, random);
    if (typeof baseline === "number") throw new Error("a learning watcher has a baseline to learn");
    const [all, ...apart] = ["all", ...eight].map(() => createEDetector(rateStakes, null));
    for (let at = 1; at <= longest && all !== undefined; at += 1) {
      const context = Math.floor(random() * 8);
      const flagged = random() < (context === 2 ? q1 : q0);
      const nullMean = baseline.nullMean ?? 1;
      for (const detector of [all, ...apart.slice(context, context + 1)])
        advance(detector, flagged ? 1 : 0, nullMean, null);
      learnRate(baseline, flagged, baselineRules);
      const logs = [all, ...apart].map(logEvidence);
      // Half on all, half on the sum of the parts.
      if (logSumExp(logs) - Math.LN2 >= ticket) return at;
    }
    return longest;
  });
  let located = 0;
  const partition = repeat(given, (random) => {
    const state = withContexts(q0, random);
    for (let at = 1; at <= longest; at += 1) {
      const context = anyContext(random);
      see(state, answer(context, random() < (context === "c" ? q1 : q0)));
      if (!harmNow(state)) continue;
      if (assess(state).where?.context === "c") located += 1 / given.runs;
      return at;
    }
    return longest;
  });
  return { pooled, shared, partition, located };
};

/** False alarms in 10,000 answers over eight contexts, nothing having changed. */
export const falseAlarmsInContexts = (operating: Operating, answers: number, given: Runs): number[] => {
  const q0 = flagRate(operating);
  return repeat(given, (random) => {
    const state = withContexts(q0, random);
    let alarms = 0;
    for (let at = 0; at < answers; at += 1) {
      see(state, answer(anyContext(random), random() < q0));
      if (harmNow(state)) alarms += 1;
      clearAlarms(state);
    }
    return (alarms / answers) * 1e4;
  });
};

/** 1 % of plain answers and 10 % of risky ones are called harmful, before and after. */
const mix = { plain: 0.01, risky: 0.1, before: 0.05, after: 0.4, watched: 5000 };

/** Shares of runs with an alarm in 5,000 answers after the risky class grew from 5 % to 40 % of the traffic. */
export const alarmedByTraffic = (given: Runs): { pooled: number; contexts: number } => {
  const draw = (share: number, random: Random): [context: string, harmful: boolean] => {
    const risky = random() < share;
    return [risky ? "risky" : "plain", random() < (risky ? mix.risky : mix.plain)];
  };
  const share = (alarmed: readonly boolean[]): number => alarmed.filter(Boolean).length / alarmed.length;
  const watched = (contexts: boolean) =>
    repeat(given, (random) => {
      const state = createState(defaultSettings);
      const look = (part: number): void => {
        const [context, harmful] = draw(part, random);
        see(state, answer(contexts ? context : null, harmful));
      };
      // Until the rare class has its baseline, and a while after.
      for (let at = 0; at < 9000; at += 1) {
        look(mix.before);
        clearAlarms(state);
      }
      for (let at = 0; at < mix.watched && !harmNow(state); at += 1) look(mix.after);
      return harmNow(state);
    });
  return { pooled: share(watched(false)), contexts: share(watched(true)) };
};

export interface JudgeCase {
  /** What changes: the judge's false positive rate, from 1 to 6 %, or the subject's harm, to 10 %. */
  truth: "judge" | "subject";
  threshold: number;
  /** Share of harmless answers among the anchors, 0-1. */
  harmless: number;
}

/** 30 % of the judge's calls are anchors. Shares of runs. */
export const judgeCalled = (
  { truth, threshold, harmless }: JudgeCase,
  given: Runs,
): { alarmed: number; judge: number; subject: number } => {
  const before = { fpr: 1, tpr: 80 };
  const after = truth === "judge" ? { fpr: 6, tpr: 80 } : before;
  const settings: DetectorSettings = {
    ...defaultSettings,
    judgeDrift: { ...defaultSettings.judgeDrift, threshold },
  };
  const { guard } = settings.judgeDrift;
  const results = repeat(given, (random) => {
    const state = createState(settings);
    const call = (judge: Operating, harm: number | undefined): void => {
      const isAnchor = random() < 0.3;
      const expected = random() < 1 - harmless;
      const rate = isAnchor ? (expected ? judge.tpr : judge.fpr) / 100 : flagRate(judge, harm);
      const harmful = random() < rate;
      see(state, isAnchor ? { kind: "anchor", expected, harmful } : answer(null, harmful));
    };
    for (let at = 0; at < 5000; at += 1) {
      call(before, undefined);
      clearAlarms(state);
    }
    for (let at = 0; at < longest && !harmNow(state); at += 1) call(after, truth === "subject" ? 10 : undefined);
    if (!harmNow(state)) return null;
    const closes = state.judge.answers + guard;
    while (state.judge.answers < closes) call(after, truth === "subject" ? 10 : undefined);
    return state.judge.moved !== null;
  });
  const part = (wanted: boolean | null): number => results.filter((moved) => moved === wanted).length / given.runs;
  return { alarmed: 1 - part(null), judge: part(true), subject: part(false) };
};

/** Hours to the alarm at 6 probes an hour, steadily or ten times as fast under suspicion; and what that costs in health. */
export const hoursToAlarm = (
  harm: number,
  given: Runs,
): { steady: number[]; hurried: number[]; extraProbes: number } => {
  const operating = { fpr: 1, tpr: 80 };
  const [q0, q1] = [flagRate(operating), flagRate(operating, harm)];
  let [healthyProbes, healthyHours] = [0, 0];
  const hours = (factor: number): number[] =>
    repeat(given, (random) => {
      const watcher = settled(q0, random);
      const hour = (): number => 1 / (6 * (logTwin(watcher.detector) >= suspicion.hurry ? factor : 1));
      for (let at = 0; at < 1000; at += 1) {
        healthyProbes += factor === 1 ? 0 : 1;
        healthyHours += factor === 1 ? 0 : hour();
        if (watchAnswer(watcher, random() < q0) >= ticket) forget(watcher);
      }
      let spent = 0;
      for (let at = 1; at <= longest; at += 1) {
        spent += hour();
        if (watchAnswer(watcher, random() < q1) >= ticket) break;
      }
      return spent;
    });
  const [steady, hurried] = [hours(1), hours(10)];
  return { steady, hurried, extraProbes: healthyProbes / (6 * healthyHours) - 1 };
};

export interface ReplicaDelays {
  /** Answers of all four replicas together, to the alarm. */
  pooled: number[];
  sum: number[];
  half: number[];
  alone: number[];
}

/** Four replicas share a baseline; harm of 20 % shows in all of them, or in the first alone. */
export const replicaDelays = (shifted: "all" | "one", given: Runs): ReplicaDelays => {
  const operating = { fpr: 1, tpr: 80 };
  const [q0, q1] = [flagRate(operating), flagRate(operating, 20)];
  const runs = repeat(given, (random) => {
    const { baseline } = settled(q0, random);
    if (typeof baseline === "number") throw new Error("a learning watcher has a baseline to learn");
    const pooled = createEDetector(rateStakes, null);
    const own = [0, 1, 2, 3].map(() => createEDetector(rateStakes, null));
    const first: Record<keyof ReplicaDelays, number | null> = { pooled: null, sum: null, half: null, alone: null };
    for (let at = 1; at <= longest && Object.values(first).includes(null); at += 1) {
      const replica = at % 4;
      const flagged = random() < (shifted === "all" || replica === 0 ? q1 : q0);
      const nullMean = baseline.nullMean ?? 1;
      for (const detector of [pooled, ...own.slice(replica, replica + 1)]) {
        advance(detector, flagged ? 1 : 0, nullMean, null);
      }
      learnRate(baseline, flagged, baselineRules);
      const together = logSumExp(own.map(logEvidence));
      if (logEvidence(pooled) >= ticket) first.pooled ??= at;
      if (together >= ticket) first.sum ??= at;
      if (logSumExp([logEvidence(pooled), together]) - Math.LN2 >= ticket) first.half ??= at;
      if (own[0] !== undefined && logEvidence(own[0]) >= ticket) first.alone ??= at;
    }
    return first;
  });
  const of = (rule: keyof ReplicaDelays): number[] => runs.map((first) => first[rule] ?? longest);
  return { pooled: of("pooled"), sum: of("sum"), half: of("half"), alone: of("alone") };
};

const fourReplicas = ["one", "two", "three", "four"];

const answerOf = (replica: string, harmful: boolean): Datum => ({
  ...{ kind: "harm", arm: "live", stratum: "live", context: null, harmful, refused: false, replica },
});

/** The detector itself with a baseline of all four, and 3,000 healthy answers after that. */
const withReplicas = (q0: number, random: Random): PersonaState => {
  const state = createState(defaultSettings);
  for (let at = 0; at < defaultSettings.calibration.harm + 3000; at += 1) {
    see(state, answerOf(fourReplicas[at % 4] ?? "one", random() < q0));
    clearAlarms(state);
  }
  return state;
};

/** As above, by the detector itself: answers to the alarm, and the share of runs in which it pointed to the first. */
export const replicaAlarms = (shifted: "all" | "one", given: Runs): { delays: number[]; located: number } => {
  const operating = { fpr: 1, tpr: 80 };
  const [q0, q1] = [flagRate(operating), flagRate(operating, 20)];
  let located = 0;
  const delays = repeat(given, (random) => {
    const state = withReplicas(q0, random);
    for (let at = 1; at <= longest; at += 1) {
      const replica = at % 4;
      const rate = shifted === "all" || replica === 0 ? q1 : q0;
      see(state, answerOf(fourReplicas[replica] ?? "one", random() < rate));
      if (!harmNow(state)) continue;
      if (assess(state).where?.replica === fourReplicas[0]) located += 1 / given.runs;
      return at;
    }
    return longest;
  });
  return { delays, located };
};

/** False alarms of the detector in 10,000 answers of four replicas, nothing having changed. */
export const falseAlarmsAtReplicas = (answers: number, given: Runs): number[] => {
  const q0 = flagRate({ fpr: 1, tpr: 80 });
  return repeat(given, (random) => {
    const state = withReplicas(q0, random);
    let alarms = 0;
    for (let at = 0; at < answers; at += 1) {
      see(state, answerOf(fourReplicas[at % 4] ?? "one", random() < q0));
      if (harmNow(state)) alarms += 1;
      clearAlarms(state);
    }
    return (alarms / answers) * 1e4;
  });
};

interface Fleet {
  /** Rounds of one answer each in which some healthy subject stood above the ticket threshold, in 10,000. */
  falseRounds: { alone: number; fleet: number };
  /** Answers of the one subject that turned, to its ticket. */
  delay: { alone: number[]; fleet: number[] };
}

/** Twenty subjects, one of which turns to 10 % harm after the healthy rounds. A subject that crosses is acknowledged. */
export const measureFleet = (rounds: number, given: Runs): Fleet => {
  const operating = { fpr: 1, tpr: 80 };
  const [q0, q1] = [flagRate(operating), flagRate(operating, 10)];
  const subjects = 20;
  const falseRounds = { alone: 0, fleet: 0 };
  const flagged = (logs: readonly number[]): boolean[] => {
    // The standing of none matters unless the most evidence is near.
    if (Math.max(...logs) < ticket) return logs.map(() => false);
    const standings = fleetStandings(
      logs.map((log, at) => ({ id: String(at), logEvidence: log, thresholds: defaultSettings.thresholds })),
    );
    return logs.map((_, at) => (standings.get(String(at))?.severity ?? "none") !== "none");
  };
  const rule = { alone: (logs: readonly number[]) => logs.map((log) => log >= ticket), fleet: flagged };
  const measure = (which: keyof typeof rule): number[] =>
    repeat(given, (random) => {
      const fleet = Array.from({ length: subjects }, () => learning(q0, random));
      const round = (rateOfFirst: number): boolean[] =>
        rule[which](fleet.map((watcher, at) => watchAnswer(watcher, random() < (at === 0 ? rateOfFirst : q0))));
      for (let at = 0; at < rounds; at += 1) {
        const crossed = round(q0);
        if (crossed.some(Boolean)) falseRounds[which] += 1e4 / (rounds * given.runs);
        crossed.forEach((is, at) => {
          const watcher = fleet[at];
          if (is && watcher !== undefined) forget(watcher);
        });
      }
      for (let at = 1; at <= longest; at += 1) if (round(q1)[0] === true) return at;
      return longest;
    });
  const delay = { alone: measure("alone"), fleet: measure("fleet") };
  return { falseRounds, delay };
};
