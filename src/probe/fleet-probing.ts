/**
 * Many replicas that probe one subject share its schedule and its budget: each slot is one replica's, and what all of them
 * spend together stays within the bounds of the configuration. Kept by whatever they share; `evidence/` implements it.
 */
import type { Spent } from "./budget.ts";

/** Whether this replica is to ask now, and when it is worth asking for a slot again. */
interface Turn {
  mine: boolean;
  /** Until the next slot is due at the present rate, milliseconds; at least 0. */
  waitMs: number;
}

interface FleetReservation {
  /** Ends the call; `tokens` is what it used, or null when that is unknown and the reservation stays spent. */
  settle(tokens: number | null): void;
}

export interface FleetProbing {
  /**
   * Takes the slot that is due, unless another replica has it. A slot that was taken is never given to anybody else, so no
   * probe is asked twice. Rejects while what the replicas share can't be reached: then nothing is asked.
   * @param perHour mean rate of the whole fleet
   */
  takeTurn(perHour: number): Promise<Turn>;
  /** Null when the fleet's budget does not allow the call. Rejects as above. @param tokens at the most */
  reserve(tokens: number): Promise<FleetReservation | null>;
  /** What the fleet has spent in the last hour and day, as it was told last; null before. */
  spent(): [hour: Spent, day: Spent] | null;
}
