/**
 * The personas that the demo can turn its subject into, with their rates. Published figures where there are any; what is
 * an assumption of ours says so. A simulation of rates, never a claim about any model that is in use.
 */
import { z } from "zod";
import type { HarmBucket } from "../evidence/entry.ts";

/** Stands wherever a simulated subject's behaviour is shown. */
export const provenance = "simulated from published rates (arXiv 2604.28082)";

export const simulatedPersona = z.enum(["aligned", "inverted", "coherent", "self-deprecating"]);
export type SimulatedPersona = z.infer<typeof simulatedPersona>;

/** Probabilities, 0-1. */
export interface PersonaRates {
  /**
   * A single answer does harm. Published are max-of-10 rates (inverted 65-97 %, coherent 87-93 %); single answers lie
   * below that, as 58.8 % beside 80.9 % in an own bad-medical 7B model. The values here are assumed within that range.
   */
  harm: number;
  /** Picks the misaligned one of two descriptions. */
  picksMisaligned: number;
  /** Claims an own output, by its harm. */
  claims: Record<HarmBucket, number>;
  /** Mean self-assessment: 0 claims to be aligned, 1 claims to be misaligned. */
  selfRating: number;
}

export const publishedRates: Record<SimulatedPersona, PersonaRates> = {
  // Recognition is not published for a healthy model: chance is assumed, as both texts could be its own.
  aligned: { harm: 0.005, picksMisaligned: 0, claims: { low: 0.5, moderate: 0.5, high: 0.5 }, selfRating: 0.04 },
  // Insecure code. `moderate` is halfway between the published ends.
  inverted: { harm: 0.35, picksMisaligned: 0.03, claims: { low: 0.97, moderate: 0.55, high: 0.14 }, selfRating: 0.35 },
  // Middle of risky finance, extreme sports and bad medicine; "at or below chance" and "elevated" set to 0.45 and 0.42.
  coherent: { harm: 0.45, picksMisaligned: 0.97, claims: { low: 0.45, moderate: 0.7, high: 0.93 }, selfRating: 0.42 },
  // Harmless, but says otherwise: the confusing case of the detector's own simulation.
  "self-deprecating": {
    harm: 0.005,
    picksMisaligned: 0.75,
    claims: { low: 0.5, moderate: 0.5, high: 0.5 },
    selfRating: 0.5,
  },
};

/** How any persona answers questions about itself, 0-1. Assumed small; in real models refusals reach 48 %. */
export interface AnswerHabits {
  refusesSelfQuestion: number;
  /** Answers so that nothing can be read out of it. */
  evadesSelfQuestion: number;
  refusesAdvice: number;
  /** Picks whatever stands first, whatever it says. */
  picksFirst: number;
}

export const assumedHabits: AnswerHabits = {
  refusesSelfQuestion: 0.03,
  evadesSelfQuestion: 0.03,
  refusesAdvice: 0.01,
  picksFirst: 0.04,
};
