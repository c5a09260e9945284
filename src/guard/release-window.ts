/**
 * Reads streamed texts as they grow and says how much of each is decided, so that words leave while the answer is still
 * coming. What it decides is what would be decided on the whole answer, however that is cut into pieces: nothing is
 * settled before all that bears on it is there.
 */
import type { Carrier } from "../dialect/carriers.ts";
import { concerns, type Rule, withoutOverlaps } from "./decide.ts";
import { type Finder, longestOpening } from "./finding/finder.ts";
import type { LiteralIndex } from "./finding/literal-index.ts";
import { denies, type Edit, type Release } from "./guard.ts";
import { viewsFor } from "./match.ts";
import type { View } from "./normalise/views.ts";
import { type Reading, readingOf } from "./reading.ts";
import { keptBack, safeCut } from "./safe-cut.ts";

/** One finder of one rule, and where its search goes on: by kind of view, the end of what it found last. */
interface Search {
  rule: Rule;
  finder: Finder;
  resume: Map<View["kind"], number>;
}

export interface ReleaseWindow extends Release {
  push(piece: string): void;
  /** No more will come: all of it is decided. */
  close(): void;
  /** Something in it denies the answer. */
  readonly denied: boolean;
}

/** The first unit of a view that stands for something at or after a place in the text. */
const unitAt = (view: View, place: number): number => {
  if (view.kind === "plain" || view.kind === "rot13") return Math.max(0, Math.min(place, view.text.length));
  let [low, high] = [0, view.text.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (view.origin(middle, middle + 1).start < place) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Of a window in which nothing could be decided, how much it grows before that is tried again. */
const growth = 1.25;

/**
 * For one text.
 * @param rules those that may stop or redact the answer, each of which asks for parts of a text no longer than it says
 * @param index of all words that they look for
 */
export const createReleaseWindow = (carrier: Carrier, rules: readonly Rule[], index: LiteralIndex): ReleaseWindow => {
  const own = rules.filter((rule) => concerns(rule, carrier));
  const searches = own.flatMap((rule): Search[] => {
    const { needs } = rule.condition;
    return typeof needs === "string" ? [] : needs.map((finder) => ({ rule, finder, resume: new Map() }));
  });
  const normalise = searches.some(({ rule }) => rule.policy.normalise);
  /** What of the end of a text is undecided in any case. */
  const margin =
    Math.max(0, ...searches.map(({ finder }) => (finder.opening === null ? (finder.longest ?? 0) : longestOpening))) +
    2;
  const opened = searches.flatMap(({ finder: { opening, longest } }) =>
    opening === null ? [] : [{ opening, longest: longest === null ? Number.POSITIVE_INFINITY : longest + 2 }],
  );

  /** The text from `keptFrom` on: what is undecided, and a stretch before it as context, as words have borders. */
  let window = "";
  let keptFrom = 0;
  /** The end of the window, from `tailFrom` on: looking at a letter of a long text that has just grown copies all of it. */
  let tail = "";
  let tailFrom = 0;
  /** No place before can be cut at. */
  let lookedTo = 0;
  /** The window is to be this long before all of it is looked at again; 0 while only its end is to be looked at. */
  let nextTry = 0;
  let closed = false;
  // What is told outside, as plain fields that change: accessors would give each window a hidden class of its own.
  const told: { denied: boolean; to: number; edits: Edit[] } = { denied: false, to: 0, edits: [] };

  /** Finds what begins before `end`, a place in the window, and is not known yet. */
  const search = (reading: Reading, end: number): void => {
    const sightings = index.look(reading.views);
    const fresh: Edit[] = [];
    for (const { rule, finder, resume } of searches) {
      const { policy } = rule;
      for (const view of viewsFor(finder, reading, sightings)) {
        if (!policy.normalise && view.kind !== "plain") continue;
        const from = Math.max(resume.get(view.kind) ?? 0, told.to) - keptFrom;
        for (const found of finder.find(view.text, unitAt(view, from))) {
          const span = view.origin(found.start, found.end);
          if (!closed && span.start >= end) break;
          told.denied ||= denies(policy.action);
          // What begins within a term is found as well.
          if (!finder.overlaps) resume.set(view.kind, keptFrom + span.end);
          if (span.end === span.start) continue;
          const { replacement } = policy;
          fresh.push({ at: [], start: keptFrom + span.start, end: keptFrom + span.end, replacement });
        }
      }
    }
    if (fresh.length === 0) return;
    // What is new begins behind all that is known, so only the last of that can overlap with it.
    const last = told.edits.pop();
    for (const edit of withoutOverlaps(last === undefined ? fresh : [last, ...fresh])) told.edits.push(edit);
  };

  /** The first unit of a view from which on something has begun that may go on. */
  const firstOpen = ({ text }: View): number => {
    let first = text.length;
    for (const { opening, longest } of opened) {
      opening.lastIndex = Math.max(0, text.length - longest);
      const hit = opening.exec(text);
      if (hit !== null) first = Math.min(first, hit.index);
    }
    return first;
  };

  /** The last place in the window up to which everything can be decided, whichever way it is read. */
  const decidable = (reading: Reading, target: number, least: number): number => {
    let place = target;
    for (const view of reading.views) {
      const unit = Math.min(view.text.length - margin - keptBack, firstOpen(view));
      if (unit <= 0) return least;
      place = Math.min(place, view.origin(unit, unit + 1).start);
    }
    return safeCut(window, place, least);
  };

  /** The last place at which the window can be cut, of those that were not looked at before; null where there is none. */
  const freshCut = (): number | null => {
    const target = keptFrom + window.length - margin - keptBack;
    const looked = Math.max(told.to, lookedTo);
    if (target <= looked) return null;
    lookedTo = target;
    if (nextTry > 0) {
      const cut = keptFrom + safeCut(window, target - keptFrom, told.to - keptFrom);
      return cut > told.to ? cut : null;
    }
    const cut = tailFrom + safeCut(tail, target - tailFrom, looked - tailFrom);
    const done = Math.max(0, looked - tailFrom - keptBack);
    tail = tail.slice(done);
    tailFrom += done;
    return cut > looked ? cut : null;
  };

  const advance = (): void => {
    const least = told.to - keptFrom;
    let cut = window.length;
    let reading: Reading | null = null;
    if (!closed) {
      if (window.length < nextTry) return;
      const fresh = freshCut();
      if (fresh === null) return;
      reading = readingOf({ ...carrier, text: window }, normalise);
      cut = decidable(reading, fresh - keptFrom, least);
      if (cut <= least) {
        // What is in the way may be long, and reading all of it for every piece would take for ever.
        nextTry = window.length * growth;
        lookedTo = told.to;
        return;
      }
    }
    if (searches.length > 0) search(reading ?? readingOf({ ...carrier, text: window }, normalise), cut);
    // Nothing more is decided, as nothing more may leave.
    if (told.denied) return;
    window = window.slice(least);
    keptFrom = told.to;
    told.to += cut - least;
    nextTry = 0;
  };

  // Some conditions ask for no more than which text it is.
  const bare = readingOf(carrier, false);
  const nowhere = {
    sightings: index.look([]),
    sizes: () => ({ totalCharacters: 0, messages: 0, tools: 0 }),
    answer: () => undefined,
  };
  told.denied = own.some(({ condition }) => condition.needs === "carrier" && condition.test(bare, nowhere) !== null);

  return Object.assign(told, {
    push(piece: string): void {
      if (closed || told.denied) return;
      window += piece;
      tail += piece;
      advance();
    },
    close(): void {
      if (closed || told.denied) return;
      closed = true;
      advance();
    },
  });
};
