/**
 * The guard over deterministic policies: compiled once, asked for every exchange. It decides on texts and never keeps or
 * repeats what matched.
 */
import { randomUUID } from "node:crypto";
import type { Carrier, Gap, Inspection } from "../dialect/carriers.ts";
import {
  actions,
  type Decision,
  denies,
  type Edit,
  type ExchangeGuard,
  type Finding,
  type Guard,
  type Release,
  type Stage,
  type StreamedCarrier,
  type StreamGuard,
} from "./guard.ts";
import { compileMatch, type Matcher, type Span } from "./matcher.ts";
import { type Policy, policyVersion } from "./policy.ts";

interface Options {
  policies: readonly Policy[];
  /** The persona that the verdict on a subject names now. */
  personaOf: (subject: string) => { persona: string };
  /** Unguessable ids of decisions. */
  newId?: () => string;
}

interface Compiled {
  policy: Policy;
  version: string;
  matcher: Matcher;
}

/** Those of one stage that concern an exchange, with their ids. */
interface Asked {
  compiled: readonly Compiled[];
  asked: readonly string[];
}

const askedOf = (compiled: readonly Compiled[], stage: Stage): Asked => {
  const mine = compiled.filter(({ policy }) => policy.stage === stage);
  return { compiled: mine, asked: mine.map(({ policy }) => policy.id) };
};

/** Names of the protocols' own. Any other name in a body was chosen by a client and may itself say what must not be told. */
const told = new Set(
  "arguments choices content delta description function function_call input instructions item item_id logprobs message messages metadata name output parameters prediction prompt reasoning reasoning_content refusal response_format stop summary system text thinking tool_calls tools user".split(
    " ",
  ),
);

const place = ({ kind, role, at, choice }: Carrier): string => {
  const path = at.map((step, index) => {
    if (typeof step === "number") return `[${step}]`;
    const name = told.has(step) ? step : "*";
    return index === 0 ? name : `.${name}`;
  });
  const where = path.join("");
  // Streamed texts are put together from many events and stand nowhere.
  if (where === "*") return choice === null ? kind : `${kind} of choice ${choice}`;
  return [kind, role ?? "", where].filter((part) => part !== "").join(" ");
};

const concerns = ({ where }: Policy, carrier: Carrier): boolean => where.carriers?.includes(carrier.kind) ?? true;

/** Overlapping edits become one: what is left of a span behind another may give it away. */
const withoutOverlaps = (edits: readonly Edit[]): Edit[] => {
  const merged: Edit[] = [];
  for (const edit of [...edits].sort((one, other) => one.start - other.start)) {
    const last = merged.at(-1);
    if (last !== undefined && edit.start < last.end) last.end = Math.max(last.end, edit.end);
    else merged.push({ ...edit });
  }
  return merged;
};

/** A match without spans is about the text as a whole. */
const editsOf = (policy: Policy, carrier: Carrier, spans: readonly Span[]): Edit[] =>
  (spans.length === 0 ? [{ start: 0, end: carrier.text.length }] : spans).map(({ start, end }) => ({
    at: carrier.at,
    start,
    end,
    replacement: policy.replacement,
  }));

const decide = ({ asked, compiled }: Asked, stage: Stage, inspection: Inspection, id: string): Decision => {
  const findings: Finding[] = [];
  const edits = new Map<Carrier, Edit[]>();
  let decisive: Policy | null = null;
  for (const { policy, version, matcher } of compiled) {
    const enforced = policy.mode === "enforce";
    const finding = (where: string | null, by: string): void => {
      findings.push({
        policy: policy.id,
        version,
        action: policy.action,
        result: enforced ? "enforced" : "would",
        where,
        matcher: by,
      });
      if (!enforced) return;
      if (decisive === null || actions.indexOf(policy.action) > actions.indexOf(decisive.action)) decisive = policy;
    };
    for (const gap of inspection.gaps) if (policy.gaps.includes(gap)) finding(null, `gap:${gap}`);
    for (const carrier of inspection.carriers) {
      if (!concerns(policy, carrier)) continue;
      const spans = matcher(carrier.text);
      if (spans === null) continue;
      finding(place(carrier), spans[0]?.matcher ?? "not");
      if (enforced && policy.action === "redact")
        edits.set(carrier, [...(edits.get(carrier) ?? []), ...editsOf(policy, carrier, spans)]);
    }
  }
  // Assigned in a closure, which the compiler does not follow.
  const deciding = decisive as Policy | null;
  const action = deciding?.action ?? "allow";
  return {
    id,
    stage,
    action,
    policy: deciding?.id ?? null,
    asked,
    findings,
    coverage: inspection.coverage,
    gaps: inspection.gaps,
    edits: action === "redact" ? [...edits.values()].flatMap(withoutOverlaps) : [],
    message: denies(action) ? (deciding?.message ?? `The ${stage} was stopped by a policy.`) : null,
    rerouteTo: action === "reroute" ? (deciding?.to ?? null) : null,
    unavailable: false,
  };
};

const keyOf = ({ kind, choice, index }: StreamedCarrier): string => `${kind} ${choice} ${index}`;
const nothing: Release = { to: 0, edits: [] };

/**
 * Holds every text until the answer is over and then decides as on a whole answer: the decision can't depend on the
 * chunking, and nothing leaves before it. What an answer may hold in memory is bounded by whoever pushes.
 */
const holdToTheEnd = (
  judge: (inspection: Inspection) => Decision,
  denied: (gap: Gap) => boolean,
  progress: () => void,
): StreamGuard => {
  const carriers = new Map<string, { at: string[]; streamed: StreamedCarrier; texts: string[]; length: number }>();
  const editsByKey = new Map<string, Edit[]>();
  let decision: Decision | null = null;
  const settle = (read: Carrier[], gaps: readonly Gap[]): void => {
    const coverage = gaps.length === 0 ? "full" : read.length === 0 ? "none" : "partial";
    const decided = judge({ carriers: read, coverage, gaps: [...gaps] });
    for (const edit of decided.edits) {
      const key = String(edit.at[0]);
      const known = editsByKey.get(key);
      if (known === undefined) editsByKey.set(key, [{ ...edit, at: [] }]);
      else known.push({ ...edit, at: [] });
    }
    decision = decided;
    progress();
  };
  return {
    push(streamed, text) {
      if (decision !== null) return;
      const key = keyOf(streamed);
      const known = carriers.get(key);
      if (known === undefined) carriers.set(key, { at: [key], streamed, texts: [text], length: text.length });
      else {
        known.texts.push(text);
        known.length += text.length;
      }
    },
    close() {},
    gap(gap) {
      if (decision === null && denied(gap)) settle([], [gap]);
    },
    end(gaps) {
      if (decision !== null) return;
      const read = [...carriers.values()].map(
        ({ at, streamed: { kind, choice, tool }, texts }): Carrier => ({
          kind,
          role: "assistant",
          choice,
          tool,
          at,
          text: texts.join(""),
        }),
      );
      settle(read, gaps);
    },
    released(streamed) {
      if (decision === null || denies(decision.action)) return nothing;
      const key = keyOf(streamed);
      return { to: carriers.get(key)?.length ?? 0, edits: editsByKey.get(key) ?? [] };
    },
    get decision() {
      return decision;
    },
  };
};

/** Throws on a policy that can't be compiled: `loadPolicies` tells of that with its place. */
export const createGuard = ({ policies, personaOf, newId = randomUUID }: Options): Guard => {
  const compiled = policies.map(
    (policy): Compiled => ({
      policy,
      version: policyVersion(policy),
      matcher: compileMatch(policy.match),
    }),
  );

  const guardFor = (subject: string | null, route: string, persona: string | null): ExchangeGuard | null => {
    const mine = compiled.filter(({ policy: { where } }) => {
      if (where.subjects !== undefined && (subject === null || !where.subjects.includes(subject))) return false;
      if (where.routes !== undefined && !where.routes.includes(route)) return false;
      return where.personas === undefined || (persona !== null && where.personas.includes(persona));
    });
    if (mine.length === 0) return null;
    const onRequest = askedOf(mine, "request");
    const onAnswer = askedOf(mine, "response");
    const enforced = onAnswer.compiled.filter(({ policy }) => policy.mode === "enforce");
    const mayHold = enforced.some(({ policy }) => policy.action !== "flag");
    const denied = (gap: Gap): boolean =>
      enforced.some(({ policy }) => denies(policy.action) && policy.gaps.includes(gap));
    const answer = (inspection: Inspection): Decision => decide(onAnswer, "response", inspection, newId());
    return {
      readsRequest: onRequest.compiled.length > 0,
      response: onAnswer.compiled.length === 0 ? "none" : mayHold ? "hold" : "watch",
      request: (inspection) => decide(onRequest, "request", inspection, newId()),
      answer,
      stream: (progress) => holdToTheEnd(answer, denied, progress),
    };
  };

  /** Subjects, routes and personas are few, and the guard of an exchange remembers nothing of it. */
  const known = new Map<string, ExchangeGuard | null>();
  return {
    begin({ subject, route }) {
      const persona = subject === null ? null : personaOf(subject).persona;
      const key = JSON.stringify([subject, route, persona]);
      let guard = known.get(key);
      if (guard === undefined) {
        guard = guardFor(subject, route, persona);
        known.set(key, guard);
      }
      return guard;
    },
  };
};
