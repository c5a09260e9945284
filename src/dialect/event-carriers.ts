/** What one event of a streamed answer carries, before it is known which text of the answer each piece continues. */
import type { Carrier, Gap } from "./carriers.ts";
import type { Fields } from "./inspecting.ts";

export interface EventCarrier {
  /** Within the event's JSON. */
  carrier: Carrier;
  /** Names the text of the answer that this belongs to: the same for all its pieces, however they are shaped. */
  key: string;
  /** piece: continues the text. whole: gives it from its beginning, perhaps again. */
  form: "piece" | "whole";
}

export interface EventReading {
  found: EventCarrier[];
  /** Texts whose key begins with one of these are over. */
  closes: string[];
  gaps: Gap[];
}

export type EventReader = (body: Fields) => EventReading;
