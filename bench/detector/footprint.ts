/** Does what the detector remembers, and what a datum costs, stay the same however much it has seen? */
import { serialize } from "node:v8";
import { createState, defaultSettings, step } from "../../src/persona/persona.ts";
import { healthyData } from "./simulations.ts";

export interface Footprint {
  data: number;
  /** Size of the state when it is written out, bytes. */
  bytes: number;
  /** Heap that holds it, after a collection; null where collections can't be asked for (`node --expose-gc`). */
  heapBytes: number | null;
  /** Microseconds a datum, over the 10,000 before. */
  micros: number;
}

const heapUsed = (): number | null => {
  if (globalThis.gc === undefined) return null;
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};

/** The same 10,000 mixed data again and again, looked at when so many were folded. */
export const measureFootprint = (looks: readonly number[]): Footprint[] => {
  const data = healthyData(10_000, 2);
  const empty = heapUsed();
  const state = createState(defaultSettings);
  const seen: Footprint[] = [];
  for (let folded = 0; folded < Math.max(...looks); ) {
    const begun = performance.now();
    for (const datum of data) step(state, datum, ++folded);
    const micros = ((performance.now() - begun) / data.length) * 1000;
    if (!looks.includes(folded)) continue;
    const now = heapUsed();
    const heapBytes = now === null || empty === null ? null : now - empty;
    seen.push({ data: folded, bytes: serialize(state).byteLength, heapBytes, micros });
  }
  return seen;
};
