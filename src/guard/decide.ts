/**
 * One decision on one request or answer: every policy that concerns it is asked about every text, and the strictest one
 * that matches and is in force decides. Never keeps or repeats what matched.
 */
import type { Carrier, Gap, Inspection } from "../dialect/carriers.ts";
import { inTurns, type Steps } from "../kernel/steps.ts";
import { createLiteralIndex, type LiteralIndex, type Sightings } from "./finding/literal-index.ts";
import { type Action, actions, type Decision, denies, type Edit, type Finding, type Stage } from "./guard.ts";
import { type Answer, type Condition, type Found, isOpen, lookAhead, type Question, type Scene } from "./match.ts";
import type { View } from "./normalise/views.ts";
import type { Policy } from "./policy.ts";
import { plainReading, type Reading, readingOf, readingSteps } from "./reading.ts";

/** A policy as it is in force for an exchange. */
export interface Rule {
  policy: Policy;
  version: string;
  condition: Condition;
  enforced: boolean;
}

/** Asks a model about one text. Never rejects: null where no answer came in time. */
export type Ask = (question: Question, carrier: Carrier, timeoutMs: number) => Promise<Answer>;

/** The policies of one stage that concern an exchange. */
export interface Rules {
  stage: Stage;
  rules: readonly Rule[];
  /** Their ids. */
  asked: readonly string[];
  /** Of all words that they look for. */
  index: LiteralIndex;
  /** Whether any of them looks behind disguises. */
  normalise: boolean;
}

export const rulesOf = (stage: Stage, rules: readonly Rule[]): Rules => ({
  stage,
  rules,
  asked: rules.map(({ policy }) => policy.id),
  index: createLiteralIndex(
    rules.flatMap(({ condition }) =>
      condition.searches.flatMap(({ finder: { literals, rotatedLiterals } }) => [literals ?? [], rotatedLiterals]),
    ),
  ),
  normalise: rules.some(({ policy }) => policy.normalise),
});

/** Most texts of one exchange that models are asked about; what is beyond counts as not answered. */
const mostAsked = 64;

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

export const concerns = ({ policy: { where } }: Rule, { kind }: Carrier): boolean =>
  where.carriers?.includes(kind) ?? true;

/** Overlapping edits become one: what is left of a span behind another may give it away. */
export const withoutOverlaps = (edits: readonly Edit[]): Edit[] => {
  const merged: Edit[] = [];
  for (const edit of [...edits].sort((one, other) => one.start - other.start)) {
    const last = merged.at(-1);
    if (last !== undefined && edit.start < last.end) last.end = Math.max(last.end, edit.end);
    else merged.push({ ...edit });
  }
  return merged;
};

/** A match without spans, or with none that is of any length, is about the text as a whole. */
export const editsOf = ({ policy }: Pick<Rule, "policy">, { at, text }: Carrier, { spans }: Found): Edit[] => {
  const within = spans.filter(({ start, end }) => end > start);
  const whole = [{ start: 0, end: text.length }];
  return (within.length === 0 ? whole : within).map(({ start, end }) => ({
    at,
    start,
    end,
    replacement: policy.replacement,
  }));
};

const sizesOf = (carriers: readonly Carrier[]): ReturnType<Scene["sizes"]> => {
  const places = (kind: Carrier["kind"]): number =>
    new Set(carriers.filter((carrier) => carrier.kind === kind).map(({ at }) => `${at[0]} ${at[1]}`)).size;
  return {
    totalCharacters: carriers.reduce((sum, { text }) => sum + text.length, 0),
    messages: places("message"),
    tools: places("tool-definition"),
  };
};

const sceneOf = (sightings: Sightings, carriers: readonly Carrier[], answers: Answers): Scene => {
  let sizes: ReturnType<Scene["sizes"]> | null = null;
  return {
    sightings,
    sizes() {
      sizes ??= sizesOf(carriers);
      return sizes;
    },
    answer: answers.known,
  };
};

/** What models answered about the texts of one exchange. */
interface Answers {
  known(question: Question, carrier: Carrier): Answer | undefined;
  /** Asks what is not known yet. */
  learn(open: readonly { question: Question; carrier: Carrier; timeoutMs: number }[]): Promise<void>;
}

const keyOf = (question: Question): string => (question.kind === "score" ? "" : question.question);

const createAnswers = (ask: Ask): Answers => {
  // Most exchanges are decided without a model.
  let known: Map<Carrier, Map<string, Answer>> | null = null;
  let left = mostAsked;
  return {
    known: (question, carrier) => known?.get(carrier)?.get(keyOf(question)),
    async learn(open) {
      const answers = known ?? new Map<Carrier, Map<string, Answer>>();
      known = answers;
      await Promise.all(
        open.map(async ({ question, carrier, timeoutMs }) => {
          const own = answers.get(carrier) ?? new Map<string, Answer>();
          answers.set(carrier, own);
          if (own.has(keyOf(question))) return;
          left -= 1;
          // Reserved, so that two policies with one question ask it once.
          own.set(keyOf(question), null);
          own.set(keyOf(question), left < 0 ? null : await ask(question, carrier, timeoutMs));
        }),
      );
    },
  };
};

/** What one rule made of an exchange. */
interface Outcome {
  rule: Rule;
  /** Text by text, in the order of the body. */
  hits: { carrier: Carrier; found: Found }[];
  open: { question: Question; carrier: Carrier; timeoutMs: number }[];
  /** A model was asked and did not answer. */
  failed: boolean;
}

const noOutcome = (rule: Rule): Outcome => ({ rule, hits: [], open: [], failed: false });

/** Adds to the outcome what its rule makes of one text. */
const applyTo = (outcome: Outcome, reading: Reading, scene: Scene): void => {
  const { rule } = outcome;
  const { carrier } = reading;
  const result = rule.condition.test(reading, scene);
  reading.found = null;
  if (result === null) return;
  if (!isOpen(result)) outcome.hits.push({ carrier, found: result });
  else if (result.failed) outcome.failed = true;
  else outcome.open.push({ question: result.open, carrier, timeoutMs: rule.policy.timeoutMs });
};

/** What a rule makes of few and short texts. */
const apply = (rule: Rule, readings: readonly Reading[], scene: Scene): Outcome => {
  const outcome = noOutcome(rule);
  for (const reading of readings) if (concerns(rule, reading.carrier)) applyTo(outcome, reading, scene);
  return outcome;
};

/** Longer texts are looked through a little at a time, and so are many of them. */
const longText = 4_096;
const manyTexts = 64;

function* applySteps(rule: Rule, readings: readonly Reading[], scene: Scene): Steps<Outcome> {
  const outcome = noOutcome(rule);
  for (const [index, reading] of readings.entries()) {
    const isLong = reading.carrier.text.length > longText;
    if (isLong || index % manyTexts === manyTexts - 1) yield;
    if (!concerns(rule, reading.carrier)) continue;
    if (isLong) yield* lookAhead(rule.condition, reading, scene);
    applyTo(outcome, reading, scene);
  }
  return outcome;
}

const strictness = (action: Action): number => actions.indexOf(action);

/** Findings of one rule. */
const findingsOf = ({ rule, hits, failed }: Outcome, gaps: readonly Gap[]): Finding[] => {
  const { policy, version, enforced } = rule;
  const finding = (where: string | null, matcher: string, result: Finding["result"]): Finding => ({
    policy: policy.id,
    version,
    action: result === "error" ? (policy.onError === "block" ? "block" : "allow") : policy.action,
    result,
    where,
    matcher,
  });
  const result = enforced ? "enforced" : "would";
  return [
    ...gaps.filter((gap) => policy.gaps.includes(gap)).map((gap) => finding(null, `gap:${gap}`, result)),
    ...hits.map(({ carrier, found }) => finding(place(carrier), found.by, result)),
    ...(failed && hits.length === 0 ? [finding(null, "model", "error")] : []),
  ];
};

const conclude = (
  { stage, asked }: Rules,
  inspection: Inspection,
  id: string,
  outcomes: readonly Outcome[],
): Decision => {
  const { gaps, coverage } = inspection;
  let deciding: Policy | null = null;
  let unavailable = false;
  const findings: Finding[] = [];
  const edits = new Map<Carrier, Edit[]>();
  for (const outcome of outcomes) {
    if (outcome.hits.length === 0 && !outcome.failed && gaps.length === 0) continue;
    const own = findingsOf(outcome, gaps);
    findings.push(...own);
    const { policy, enforced } = outcome.rule;
    if (!enforced || own.length === 0) continue;
    if (own.some(({ result }) => result === "enforced")) {
      if (deciding === null || strictness(policy.action) > strictness(deciding.action)) deciding = policy;
    } else if (policy.onError === "block") unavailable = true;
    if (policy.action !== "redact") continue;
    for (const { carrier, found } of outcome.hits) {
      edits.set(carrier, [...(edits.get(carrier) ?? []), ...editsOf(outcome.rule, carrier, found)]);
    }
  }
  const wanted: Action = deciding?.action ?? "allow";
  // What is denied anyway is told as that; what a missing answer leaves open is not let through.
  const failing = unavailable && !denies(wanted);
  const action: Action = failing ? "block" : wanted;
  return {
    id,
    stage,
    action,
    policy: failing ? null : (deciding?.id ?? null),
    asked,
    findings,
    coverage,
    gaps,
    edits: action === "redact" ? [...edits.values()].flatMap(withoutOverlaps) : [],
    message: denies(action) && !failing ? (deciding?.message ?? `The ${stage} was stopped by a policy.`) : null,
    rerouteTo: action === "reroute" ? (deciding?.to ?? null) : null,
    unavailable: failing,
  };
};

const withGap = (inspection: Inspection, gap: Gap): Inspection => ({
  ...inspection,
  coverage: inspection.coverage === "none" ? "none" : "partial",
  gaps: inspection.gaps.includes(gap) ? inspection.gaps : [...inspection.gaps, gap],
});

/** Whether anything waits for what this rule says. */
const isWaitedFor = ({ enforced, policy }: Rule): boolean => enforced && policy.action !== "flag";

/** What every rule makes of an exchange, as far as that can be told without asking anybody. */
interface FirstLook {
  inspection: Inspection;
  readings: Reading[];
  scene: Scene;
  outcomes: Outcome[];
}

const viewsOf = (readings: readonly Reading[]): readonly View[] => {
  const all: View[] = [];
  for (const { views } of readings) for (const view of views) all.push(view);
  return all;
};

const inspectedAs = (inspected: Inspection, readings: readonly Reading[]): Inspection =>
  readings.some(({ capped }) => capped) ? withGap(inspected, "too-large") : inspected;

/** Of short texts: steps take longer than all of this does. */
const lookNow = ({ rules, index, normalise }: Rules, inspected: Inspection, answers: Answers): FirstLook => {
  const { carriers } = inspected;
  const readings = carriers.map((carrier) => readingOf(carrier, normalise));
  const scene = sceneOf(index.look(viewsOf(readings)), carriers, answers);
  const outcomes = rules.map((rule) => apply(rule, readings, scene));
  return { inspection: inspectedAs(inspected, readings), readings, scene, outcomes };
};

function* lookSteps({ rules, index, normalise }: Rules, inspected: Inspection, answers: Answers): Steps<FirstLook> {
  const { carriers } = inspected;
  const readings: Reading[] = [];
  for (const [count, carrier] of carriers.entries()) {
    if (count % manyTexts === manyTexts - 1) yield;
    readings.push(plainReading(carrier, normalise) ?? (yield* readingSteps(carrier)));
  }
  const scene = sceneOf(yield* index.lookSteps(viewsOf(readings)), carriers, answers);
  const outcomes: Outcome[] = [];
  for (const rule of rules) {
    yield;
    outcomes.push(yield* applySteps(rule, readings, scene));
  }
  return { inspection: inspectedAs(inspected, readings), readings, scene, outcomes };
}

/** Longer exchanges are looked through a little at a time. */
const longestAtOnce = 32 * 1024;
const mostAtOnce = 256;

/**
 * At once where the exchange is short and no model has to be asked about what may be stopped, else a promise that never
 * rejects. What only flags or stands in shadow is never waited for: what a model finds comes later, as `later` of the
 * decision.
 */
export const decide = (rules: Rules, inspected: Inspection, id: string, ask: Ask): Decision | Promise<Decision> => {
  const { carriers } = inspected;
  const answers = createAnswers(ask);
  let length = 0;
  for (const { text } of carriers) length += text.length;
  if (length <= longestAtOnce && carriers.length <= mostAtOnce) {
    return decideAfter(rules, lookNow(rules, inspected, answers), id, answers);
  }
  return inTurns(lookSteps(rules, inspected, answers)).then((looked) => decideAfter(rules, looked, id, answers));
};

const decideAfter = (rules: Rules, looked: FirstLook, id: string, answers: Answers): Decision | Promise<Decision> => {
  const { inspection, readings, scene, outcomes: first } = looked;
  const again = async (outcomes: readonly Outcome[], isDue: (rule: Rule) => boolean): Promise<Outcome[]> => {
    let current = [...outcomes];
    // A condition may leave one question open after another.
    for (;;) {
      const due = current.filter(({ rule, open }) => open.length > 0 && isDue(rule));
      if (due.length === 0) return current;
      await answers.learn(due.flatMap(({ open }) => open));
      const next: Outcome[] = [];
      for (const outcome of current) {
        next.push(due.includes(outcome) ? await inTurns(applySteps(outcome.rule, readings, scene)) : outcome);
      }
      current = next;
    }
  };

  const concludeWith = (outcomes: readonly Outcome[]): Decision => {
    const decision = conclude(rules, inspection, id, outcomes);
    if (outcomes.every(({ open }) => open.length === 0)) return decision;
    // What has found something already has nothing to add: one finding makes the case.
    const known = new Set(decision.findings.map(({ policy }) => policy));
    const later = again(outcomes, () => true).then((answered) =>
      answered.flatMap((outcome) => (known.has(outcome.rule.policy.id) ? [] : findingsOf(outcome, inspection.gaps))),
    );
    return { ...decision, later };
  };

  const sofar = conclude(rules, inspection, id, first);
  // Nothing that a model says can make it stricter.
  const isOpenStill = ({ rule, open }: Outcome): boolean =>
    open.length > 0 && isWaitedFor(rule) && strictness(rule.policy.action) > strictness(sofar.action);
  if (!first.some(isOpenStill)) return concludeWith(first);
  const waiting = new Set(first.filter(isOpenStill).map(({ rule }) => rule));
  return again(first, (rule) => waiting.has(rule)).then(concludeWith);
};
