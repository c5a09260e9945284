/** What watching counts. `alert/` implements it; every label comes from these bounded sets or from the configuration. */
import type { Observation } from "../evidence/entry.ts";

/** Why an answer that was drawn for judging was not judged. */
export const skipReasons = [
  /** The subject's hour is full. */
  "capped",
  /** The tenant's share of the hour is full. */
  "tenant-capped",
  /** Request or answer is larger than what is copied. */
  "too-large",
  /** As much is being copied already as memory allows. */
  "busy",
  /** Not status 200, or broken off before its end. */
  "incomplete",
  /** Its content encoding is unknown, broken, or grows beyond its bounds. */
  "undecodable",
  /** Of no known API shape. */
  "unreadable",
  /** Tool calls only, or nothing at all. */
  "no-text",
  /** An answer of the same conversation was judged not long ago. */
  "seen-before",
  /** The judging queue was full. */
  "queue-full",
  /** The subject was declared anew meanwhile: the answer says nothing about what runs now. */
  "superseded",
  /** Something of ours went wrong. */
  "failed",
] as const;
export type SkipReason = (typeof skipReasons)[number];

export interface WatchMeter {
  skipped(subject: string, reason: SkipReason): void;
  /** A live answer became an observation. */
  observed(subject: string, outcome: Observation["outcome"]): void;
}
