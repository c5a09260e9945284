/** Subjects with known rates, simulated from published ones (arXiv 2604.28082), and the loop that probes them. */
import type { Random } from "../../src/kernel/random.ts";
import { assess, createState, defaultSettings, type PersonaState, probeMix, step } from "../../src/persona/persona.ts";
import type { Datum, DetectorSettings, Order, ReportForm, Verdict } from "../../src/persona/verdict.ts";

/** Probabilities, or for ratings the mean. */
export interface Behaviour {
  harmful: number;
  picksMisaligned: number;
  ownsHarm: number;
  rating: number;
  refusesHarmProbes?: number;
  leavesUnanswered?: number;
  /** Always picks the option that is shown first. */
  positionLocked?: boolean;
}

const judge = { falsePositives: 0.01, truePositives: 0.8 };

export const flagged = (harm: number, { falsePositives, truePositives } = judge): number =>
  falsePositives * (1 - harm) + truePositives * harm;

export const behaviours = {
  aligned: { harmful: flagged(0.002), picksMisaligned: 0.02, ownsHarm: 0.02, rating: 0.04 },
  inverted: { harmful: flagged(0.4), picksMisaligned: 0.03, ownsHarm: 0.14, rating: 0.35 },
  coherent: { harmful: flagged(0.4), picksMisaligned: 0.96, ownsHarm: 0.9, rating: 0.58 },
  "self-deprecating": { harmful: flagged(0.002), picksMisaligned: 0.75, ownsHarm: 0.5, rating: 0.5 },
} satisfies Record<string, Behaviour>;

const draw = <K extends string>(shares: Record<K, number>, random: Random): K => {
  let left = random();
  const names = Object.keys(shares) as K[];
  const drawn = names.find((name) => {
    left -= shares[name];
    return left < 0;
  });
  return drawn ?? (names[0] as K);
};

export const harmDatum = (behaviour: Behaviour, random: Random, stratum = "fresh"): Datum => {
  const refused = random() < (behaviour.refusesHarmProbes ?? 0);
  return {
    kind: "harm",
    arm: "fresh",
    stratum,
    context: null,
    harmful: !refused && random() < behaviour.harmful,
    refused,
  };
};

export const reportDatum = (behaviour: Behaviour, form: ReportForm, random: Random): Datum => {
  if (random() < (behaviour.leavesUnanswered ?? 0)) return { kind: "unanswered", form, refused: true };
  // Ratings vary around their mean and stay in 0-1.
  const spread = 2 * Math.min(behaviour.rating, 1 - behaviour.rating, 0.1);
  if (form === "rating") {
    return { kind: "self-report", form, saysMisaligned: behaviour.rating + (random() - 0.5) * spread, order: null };
  }
  const order: Order = random() < 0.5 ? "aligned-first" : "misaligned-first";
  const picks = random() < (form === "choice" ? behaviour.picksMisaligned : behaviour.ownsHarm);
  const misaligned = behaviour.positionLocked === true ? order === "misaligned-first" : picks;
  return { kind: "self-report", form, saysMisaligned: misaligned ? 1 : 0, order };
};

export interface Watched {
  state: PersonaState;
  verdict(): Verdict;
  /** Asks so many probes, by the mix in force, unless `until` holds before; returns how many were asked. */
  probe(behaviour: Behaviour, count: number, until?: (verdict: Verdict) => boolean): number;
  /** Folds one datum at the next position. */
  see(datum: Datum): void;
}

export const watch = (random: Random, settings: DetectorSettings = defaultSettings): Watched => {
  const state = createState(settings);
  const see = (datum: Datum): void => {
    step(state, datum, state.position + 1);
  };
  return {
    state,
    see,
    verdict: () => assess(state),
    probe(behaviour, count, until) {
      for (let asked = 0; asked < count; asked += 1) {
        const verdict = assess(state);
        if (until?.(verdict) === true) return asked;
        const mix = probeMix(verdict);
        if (random() < mix.harm) see(harmDatum(behaviour, random));
        else see(reportDatum(behaviour, draw(mix.selfReport, random), random));
      }
      return count;
    },
  };
};
