/**
 * One streamed answer under its policies: every text of it has a window from which words leave once they are decided,
 * unless a policy has to know all of the answer first. Then everything waits for the end.
 */
import type { Carrier, Gap, Inspection } from "../dialect/carriers.ts";
import type { Rule, Rules } from "./decide.ts";
import { type Decision, denies, type Edit, type Release, type StreamedCarrier, type StreamGuard } from "./guard.ts";
import { createReleaseWindow, type ReleaseWindow } from "./release-window.ts";

interface Options {
  rules: Rules;
  /** Decides on the answer as far as it came. */
  judge(inspection: Inspection): Decision | Promise<Decision>;
  /** More may be released, or it is decided. */
  progress(): void;
}

interface Growing {
  carrier: Carrier;
  pieces: string[];
  length: number;
  closed: boolean;
  /** From its first advance on: of a text that is over before that, all is decided at once. */
  window: ReleaseWindow | null;
  /** How many of the pieces it was given. */
  given: number;
}

const nothing: Release = { to: 0, edits: [] };

const mayStop = ({ enforced, policy }: Rule): boolean => enforced && policy.action !== "flag";

/** Whether words may leave before the answer is over: no rule that may stop it needs more than a stretch of a text. */
const canRelease = ({ condition: { needs } }: Rule): boolean =>
  needs === "carrier" ||
  (needs !== "all" && needs.every(({ longest, opening }) => longest !== null || opening !== null));

export const guardStream = ({ rules, judge, progress }: Options): StreamGuard => {
  const stopping = rules.rules.filter(mayStop);
  const releases = stopping.every(canRelease);
  const texts = new Map<string, Growing>();
  /** Those that grew or ended since the last advance. */
  const changed = new Set<Growing>();
  let settling = false;
  let editsByText = new Map<string, readonly Edit[]>();

  const keyOf = ({ kind, choice, index }: StreamedCarrier): string => `${kind} ${choice} ${index}`;

  const decided = (made: Decision): void => {
    const byText = Map.groupBy(made.edits, ({ at }) => String(at[0]));
    editsByText = new Map([...byText].map(([key, edits]) => [key, edits.map((edit) => ({ ...edit, at: [] }))]));
    stream.decision = made;
    progress();
  };

  const settle = (gaps: readonly Gap[]): void => {
    if (settling) return;
    settling = true;
    const carriers = [...texts.values()].map(({ carrier, pieces }) => ({ ...carrier, text: pieces.join("") }));
    const coverage = gaps.length === 0 ? "full" : carriers.length === 0 ? "none" : "partial";
    const made = judge({ carriers, coverage, gaps: [...gaps] });
    if (made instanceof Promise) void made.then(decided);
    else decided(made);
  };

  /** Asked for last: most answers are one text, named by one object. */
  let latest: { streamed: StreamedCarrier; text: Growing } | null = null;
  const find = (streamed: StreamedCarrier): Growing | undefined => {
    if (latest?.streamed === streamed) return latest.text;
    const text = texts.get(keyOf(streamed));
    if (text !== undefined) latest = { streamed, text };
    return text;
  };

  const textOf = (streamed: StreamedCarrier): Growing => {
    const known = find(streamed);
    if (known !== undefined) return known;
    const key = keyOf(streamed);
    const { kind, choice, tool } = streamed;
    const carrier: Carrier = { kind, role: "assistant", choice, tool, at: [key], text: "" };
    const text: Growing = { carrier, pieces: [], length: 0, closed: false, window: null, given: 0 };
    texts.set(key, text);
    return text;
  };

  const give = (text: Growing, window: ReleaseWindow): void => {
    const { pieces, given } = text;
    if (given < pieces.length)
      window.push(given + 1 === pieces.length ? (pieces[given] ?? "") : pieces.slice(given).join(""));
    text.given = pieces.length;
    if (text.closed) window.close();
    if (window.denied) settle([]);
  };

  // Its decision is a plain field that changes: an accessor would give each stream a hidden class of its own.
  const stream: Omit<StreamGuard, "decision"> & { decision: Decision | null } = {
    decision: null,
    push(streamed, piece) {
      if (settling) return;
      const text = textOf(streamed);
      text.pieces.push(piece);
      text.length += piece.length;
      changed.add(text);
    },
    advance() {
      if (!releases) return;
      for (const text of changed) {
        if (settling) return;
        text.window ??= createReleaseWindow(text.carrier, stopping, rules.index);
        give(text, text.window);
      }
      changed.clear();
    },
    close(streamed) {
      const text = find(streamed);
      if (text === undefined) return;
      text.closed = true;
      changed.add(text);
    },
    gap(gap) {
      if (stopping.some(({ policy }) => denies(policy.action) && policy.gaps.includes(gap))) settle([gap]);
    },
    end(gaps) {
      for (const text of texts.values()) {
        if (settling) return;
        text.closed = true;
        if (text.window !== null) give(text, text.window);
      }
      settle(gaps);
    },
    released(streamed) {
      const text = find(streamed);
      if (text === undefined || (stream.decision !== null && denies(stream.decision.action))) return nothing;
      if (text.window !== null) return { to: text.window.to, edits: text.window.edits };
      return stream.decision === null ? nothing : { to: text.length, edits: editsByText.get(keyOf(streamed)) ?? [] };
    },
  };
  return stream;
};
