/** A carrier's text as matchers see it: as it stands, and in every other way in which it may be read. */
import type { Carrier } from "../dialect/carriers.ts";
import { atOnce, type Steps } from "../kernel/steps.ts";
import type { Finder, Span } from "./finding/finder.ts";
import { rotated } from "./finding/rotation.ts";
import { disguisesIn, isUndisguised } from "./normalise/disguises.ts";
import { plainView, type View, viewSteps } from "./normalise/views.ts";

export interface Reading {
  readonly carrier: Carrier;
  /** The text as it stands, then the others. */
  readonly views: readonly View[];
  /** A limit left something encoded as it was. */
  readonly capped: boolean;
  /** What finders found in views of a long text, looked through before it was asked for. */
  found: Map<Finder, Map<View, Span[]>> | null;
  /** The text with every letter thirteen further, once it was asked for. */
  turned: View | null;
}

const readingIn = (carrier: Carrier, views: readonly View[], capped: boolean): Reading => ({
  carrier,
  views,
  capped,
  found: null,
  turned: null,
});

/** The text with every letter thirteen further. */
export const rotatedOf = (reading: Reading): View => {
  reading.turned ??= { ...plainView(rotated(reading.carrier.text)), kind: "rot13" };
  return reading.turned;
};

/**
 * Where the text can be read in one way only, as nearly all can: null where it has to be looked at more closely.
 * @param normalise whether anything but the text as it stands is of interest
 */
export const plainReading = (carrier: Carrier, normalise: boolean): Reading | null =>
  normalise && !isUndisguised(disguisesIn(carrier.text)) ? null : readingIn(carrier, [plainView(carrier.text)], false);

/** In every way in which it may be read. */
export function* readingSteps(carrier: Carrier): Steps<Reading> {
  const { views, capped } = yield* viewSteps(carrier.text);
  return readingIn(carrier, views, capped);
}

export const readingOf = (carrier: Carrier, normalise: boolean): Reading =>
  plainReading(carrier, normalise) ?? atOnce(readingSteps(carrier));
