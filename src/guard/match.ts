/**
 * What a policy's conditions say of a text. Deterministic conditions are answered at once; what only a classifier or a
 * judge can answer is left open, and asked only where the rest of the conditions has not settled the matter.
 */
import type { Carrier } from "../dialect/carriers.ts";
import type { Steps } from "../kernel/steps.ts";
import { excepting } from "./finding/excepted.ts";
import {
  type Finder,
  findEncoded,
  findHidden,
  findPattern,
  findSteps,
  findTerms,
  type Span,
} from "./finding/finder.ts";
import type { Sightings } from "./finding/literal-index.ts";
import { findPersonalData, personalDataKinds } from "./finding/personal-data.ts";
import { findSecrets, secretKinds } from "./finding/secrets.ts";
import type { View } from "./normalise/views.ts";
import type { Match, measures, Size } from "./policy.ts";
import { type Reading, rotatedOf } from "./reading.ts";

/** A condition that a model has to answer, about one text. */
export type Question = { kind: "score" } | { kind: "judge"; question: string };

/** What came back: harm 0-1 for a score, 0 or 1 for a judge's no or yes; null where it could not be asked. */
export type Answer = number | null;

/** The exchange around a text. */
export interface Scene {
  /** What any view of any text holds of the words that are looked for. */
  sightings: Sightings;
  sizes(): Readonly<Record<Exclude<(typeof measures)[number], "characters">, number>>;
  /** Undefined while it was not asked. */
  answer(question: Question, carrier: Carrier): Answer | undefined;
}

export interface Found {
  /** The condition that was met, by name. */
  by: string;
  /** Empty where the text is meant as a whole. */
  spans: Span[];
}

/** Not settled: this has to be asked. `failed`: it was, and no answer came. */
export interface Open {
  open: Question;
  failed: boolean;
}

export type Result = Found | Open | null;

export interface Condition {
  test(reading: Reading, scene: Scene): Result;
  /**
   * What must be known to answer it: which carrier it is, and no more; what these finders find, of which any is enough;
   * or all of the text, other texts, an answer.
   */
  readonly needs: "carrier" | "all" | readonly Finder[];
  /** All that look through a text for it. */
  readonly searches: readonly Search[];
}

/** What looks through a text. */
interface Search {
  finder: Finder;
  /** Only the text as it stands. */
  bare: boolean;
}

export const isOpen = (result: Result): result is Open => result !== null && "open" in result;

/** Where in a view something is found, in terms of the text itself. */
const inOrigin = (view: View, spans: readonly Span[]): Span[] =>
  view.kind === "plain" ? [...spans] : spans.map((span) => ({ ...span, ...view.origin(span.start, span.end) }));

const noViews: readonly View[] = [];

/** The views in which a finder may find anything. */
export const viewsFor = (
  { literals, rotatedLiterals }: Finder,
  reading: Reading,
  sightings: Sightings,
): readonly View[] => {
  if (literals === null) return reading.views;
  const views = sightings.mayHoldAny(literals) ? reading.views : noViews;
  return rotatedLiterals.length > 0 && sightings.mayHoldAny(rotatedLiterals) ? [...views, rotatedOf(reading)] : views;
};

const viewsOfSearch = ({ finder, bare }: Search, reading: Reading, sightings: Sightings): readonly View[] => {
  const views = viewsFor(finder, reading, sightings);
  return bare ? views.filter(({ kind }) => kind === "plain") : views;
};

/** Looks through a long text for a condition, a little at a time, so that its test has nothing long left to do. */
export function* lookAhead(condition: Condition, reading: Reading, { sightings }: Scene): Steps<void> {
  for (const search of condition.searches) {
    const found = reading.found?.get(search.finder) ?? new Map<View, Span[]>();
    reading.found ??= new Map();
    reading.found.set(search.finder, found);
    for (const view of viewsOfSearch(search, reading, sightings)) {
      yield;
      if (!found.has(view)) found.set(view, yield* findSteps(search.finder, view.text));
    }
  }
}

/** @param bare only the text as it stands */
const searching = (finders: readonly Finder[], bare: boolean): Condition => {
  const searches = finders.map((finder): Search => ({ finder, bare }));
  return {
    needs: finders,
    searches,
    test(reading, { sightings }) {
      let spans: Span[] | null = null;
      for (const search of searches) {
        const known = reading.found?.get(search.finder);
        for (const view of viewsOfSearch(search, reading, sightings)) {
          // One by one: a hostile text can hold more matches than a call takes arguments.
          for (const span of inOrigin(view, known?.get(view) ?? search.finder.find(view.text, 0))) {
            spans ??= [];
            spans.push(span);
          }
        }
      }
      const first = spans?.[0];
      return spans === null || first === undefined ? null : { by: first.matcher, spans };
    },
  };
};

const asked = (question: Question, isMet: (answer: number) => boolean): Condition => ({
  needs: "all",
  searches: [],
  test({ carrier }, scene) {
    const answer = scene.answer(question, carrier);
    if (answer === undefined) return { open: question, failed: false };
    // What is no number is less than nothing, and would let everything pass.
    if (answer === null || Number.isNaN(answer)) return { open: question, failed: true };
    return isMet(answer) ? { by: question.kind, spans: [] } : null;
  },
});

const globOf = (glob: string): RegExp =>
  new RegExp(`^${glob.replace(/[.+?^$()[\]{}|\\]/g, String.raw`\$&`).replaceAll("*", ".*")}$`, "su");

/** Whether a call or an offer of a tool is one that is meant. */
const byTool = ({ only, never }: { only?: string[] | undefined; never?: string[] | undefined }): Condition => {
  const globs = (only ?? never ?? []).map(globOf);
  const isNamed = (tool: string): boolean => globs.some((glob) => glob.test(tool));
  const isMeant = ({ kind, tool }: Carrier): boolean => {
    if (kind !== "tool-arguments" && kind !== "tool-definition") return false;
    // A call whose tool is not told is none of those that are allowed.
    if (tool === null) return only !== undefined && kind === "tool-arguments";
    return isNamed(tool) === (never !== undefined);
  };
  return {
    needs: "carrier",
    searches: [],
    test: ({ carrier }) => (isMeant(carrier) ? { by: "tools", spans: [] } : null),
  };
};

const bySize = (size: Size): Condition => ({
  needs: "all",
  searches: [],
  test({ carrier }, scene) {
    const sizes = scene.sizes();
    const exceeds = (measure: keyof Size, value: number): boolean =>
      value > (size[measure] ?? Number.POSITIVE_INFINITY);
    const met =
      exceeds("characters", carrier.text.length) ||
      exceeds("totalCharacters", sizes.totalCharacters) ||
      exceeds("messages", sizes.messages) ||
      exceeds("tools", sizes.tools);
    return met ? { by: "size", spans: [] } : null;
  },
});

const needsOfAny = (parts: readonly Condition[]): Condition["needs"] => {
  const all = parts.map(({ needs }) => needs);
  if (all.every((needs) => needs === "carrier")) return "carrier";
  return all.every((needs) => typeof needs !== "string") ? all.flat() : "all";
};

const anyOf = (parts: readonly Condition[]): Condition => ({
  needs: needsOfAny(parts),
  searches: parts.flatMap(({ searches }) => searches),
  test(reading, scene) {
    let open: Open | null = null;
    let found: Found | null = null;
    for (const part of parts) {
      const result = part.test(reading, scene);
      if (result === null) continue;
      if (isOpen(result)) open ??= result;
      else found = found === null ? result : { by: found.by, spans: [...found.spans, ...result.spans] };
    }
    return found ?? open;
  },
});

const allOf = (parts: readonly Condition[]): Condition => {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return {
    needs: "all",
    searches: parts.flatMap(({ searches }) => searches),
    test(reading, scene) {
      let open: Open | null = null;
      let found: Found | null = null;
      for (const part of parts) {
        const result = part.test(reading, scene);
        if (result === null) return null;
        if (isOpen(result)) open ??= result;
        else found = found === null ? result : { by: found.by, spans: [...found.spans, ...result.spans] };
      }
      return open ?? found;
    },
  };
};

const noneOf = (part: Condition): Condition => ({
  needs: "all",
  searches: part.searches,
  test(reading, scene) {
    const result = part.test(reading, scene);
    if (result === null) return { by: "not", spans: [] };
    return isOpen(result) ? result : null;
  },
});

/**
 * Throws on a regular expression that RE2 does not take.
 * @param except texts that are not meant, wherever they are found
 */
export const conditionOf = (match: Match, normalise: boolean, except: readonly string[] = []): Condition => {
  const part = (inner: Match): Condition => conditionOf(inner, normalise, except);
  const searchingFor = (finders: readonly Finder[], bare: boolean): Condition =>
    searching(excepting(finders, except), bare);
  if ("any" in match) return anyOf(match.any.map(part));
  if ("all" in match) return allOf(match.all.map(part));
  if ("not" in match) return noneOf(part(match.not));
  if ("terms" in match) return searchingFor(findTerms(match.terms), !normalise);
  if ("regex" in match) return searchingFor([findPattern(match.regex)], !normalise);
  if ("secrets" in match) {
    return searchingFor(findSecrets(match.secrets === "all" ? secretKinds : match.secrets), !normalise);
  }
  if ("personalData" in match) {
    const kinds = match.personalData === "all" ? personalDataKinds : match.personalData;
    return searchingFor(findPersonalData(kinds), !normalise);
  }
  if ("hidden" in match) return searchingFor(findHidden(match.hidden), true);
  if ("encoded" in match) return searchingFor([findEncoded(match.encoded.atLeast)], true);
  if ("score" in match) return asked({ kind: "score" }, (harm) => harm >= match.score.atLeast);
  if ("judge" in match) return asked({ kind: "judge", question: match.judge.question }, (answer) => answer >= 0.5);
  if ("tools" in match) return byTool(match.tools);
  return bySize(match.size);
};
