/** A carrier's text as matchers see it: as it stands, and in every other way in which it may be read. */
import type { Carrier } from "../dialect/carriers.ts";
import { atOnce, type Steps } from "../kernel/steps.ts";
import type { Finder, Span } from "./finding/finder.ts";
import { rotated } from "./finding/rotation.ts";
import { type View, viewSteps } from "./normalise/views.ts";

export interface Reading {
  carrier: Carrier;
  /** The text as it stands, then the others. */
  readonly views: readonly View[];
  /** The text with every letter thirteen further; made when it is first asked for. */
  rotated(): View;
  /** What finders found in views of a long text, looked through before it was asked for. */
  readonly found: Map<Finder, Map<View, Span[]>>;
  /** A limit left something encoded as it was. */
  readonly capped: boolean;
}

const plainly = (text: string): View => ({ kind: "plain", text, origin: (start, end) => ({ start, end }) });

/** @param normalise whether anything but the text as it stands is of interest */
export function* readingSteps(carrier: Carrier, normalise: boolean): Steps<Reading> {
  let turned: View | null = null;
  const plain = { views: [plainly(carrier.text)], capped: false };
  const { views, capped } = normalise ? yield* viewSteps(carrier.text) : plain;
  return {
    carrier,
    views,
    capped,
    found: new Map(),
    rotated() {
      turned ??= { ...plainly(rotated(carrier.text)), kind: "rot13" };
      return turned;
    },
  };
}

export const readingOf = (carrier: Carrier, normalise: boolean): Reading => atOnce(readingSteps(carrier, normalise));
