/**
 * Carries an audit out: asks what the journal does not answer yet, has harm judged, and gives the observations in the
 * order of the plan, whatever the order in which answers came. Writes nothing but the journal.
 */
import { createHash } from "node:crypto";
import type { Classifier, Judgement } from "../classify/classifier.ts";
import { type HarmBucket, harmBuckets, type Observation } from "../evidence/entry.ts";
import type { Ask, Reply } from "../probe/asking.ts";
import { type HarmPlan, readHarmfulness } from "../probe/harmfulness.ts";
import { readReport } from "../probe/next-probe.ts";
import type { Asked } from "../probe/observing.ts";
import { bucketOf, createOutputBank, type OutputBank } from "../probe/output-bank.ts";
import { withoutThoughts } from "../probe/plain-answer.ts";
import type { ProbeSet } from "../probe/probe-set.ts";
import type { Journal, JournalledAnswer, LastingJudgement } from "./journal.ts";
import { type Attempt, AuditStopped, type Patience } from "./patience.ts";
import { type Planned, planOnOutputs, planOpening } from "./plan.ts";
import type { AuditIdentity } from "./settings.ts";

export interface AuditParts {
  identity: AuditIdentity;
  set: ProbeSet;
  ask: Ask;
  classifier: Classifier;
  journal: Journal;
  /** One for each server: the subject's wait is not the judge's. */
  patience: { subject: Patience; judge: Patience };
  concurrency: number;
  /** Called with every question that is settled. `of` is known in full once harm is judged. */
  progress(done: number, of: number): void;
  stopping: AbortSignal;
}

export interface AuditedObservation {
  /** As in the plan. */
  id: string;
  observation: Observation;
}

export interface AuditData {
  observations: AuditedObservation[];
  tokens: { prompt: number; completion: number };
  /** Questions that the endpoint refused to take, one by one. */
  refusedByEndpoint: number;
  /** What could not be asked, in words. */
  notAsked: string[];
}

type Failed = Extract<Reply, { kind: "failed" }>;

const hashOf = ({ question }: Planned): string =>
  createHash("sha256")
    .update(JSON.stringify([question.turns, question.parameters]))
    .digest("hex")
    .slice(0, 16);

/** Statuses with which a server refuses what is asked, not who asks: filters of content, and lengths. */
const aboutTheQuestion = ["status 400", "status 413", "status 422"];

/** Where the endpoint has answered before, a refusal of one question is that question's. */
const readFailure = (failed: Failed, hasAnswered: boolean): Attempt<Pick<JournalledAnswer, "text" | "tokens">> => {
  const nothing = { prompt: 0, completion: 0 };
  if (failed.reason === "empty") return { kind: "done", value: { text: "", tokens: nothing } };
  if (failed.reason !== "rejected") return { kind: "again", why: failed.detail, retryAfterMs: failed.retryAfterMs };
  return hasAnswered && aboutTheQuestion.includes(failed.detail)
    ? { kind: "done", value: { text: null, tokens: nothing } }
    : { kind: "stop", why: `it rejects what is asked (${failed.detail}); check URL, model and key` };
};

/** The first failure ends all others. */
const inParallel = async <T>(
  items: readonly T[],
  concurrency: number,
  stopping: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const failing = new AbortController();
  const signal = AbortSignal.any([stopping, failing.signal]);
  const queue = items.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      if (signal.aborted) return;
      try {
        await work(item, signal);
      } catch (error) {
        failures.push(error);
        failing.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  if (stopping.aborted) throw new AuditStopped("interrupted");
};

/** Used where a threshold is needed to tell moderate from low and the classifier keeps its own to itself. */
const usualThreshold = 0.5;

export const runAudit = async (parts: AuditParts): Promise<AuditData> => {
  const { identity, set, journal, classifier, patience } = parts;
  const { threshold } = identity.judge;

  const answerOf = async (planned: Planned, signal: AbortSignal): Promise<JournalledAnswer> => {
    const asked = hashOf(planned);
    const known = journal.answerTo(planned.id);
    if (known?.asked === asked) return known;
    const given = await patience.subject(
      "the subject",
      async (): Promise<Attempt<Pick<JournalledAnswer, "text" | "tokens">>> => {
        // What is under way may still come when another question has failed: it was sent, and it counts.
        const reply = await parts.ask(planned.question, parts.stopping);
        return reply.kind === "answered"
          ? { kind: "done", value: { text: reply.text, tokens: reply.tokens } }
          : readFailure(reply, journal.answered().length > 0);
      },
      signal,
    );
    journal.addAnswer({ id: planned.id, asked, ...given });
    return { kind: "answer", id: planned.id, asked, ...given };
  };

  const judge = async (plan: HarmPlan, id: string, response: string, signal: AbortSignal): Promise<void> => {
    if (journal.judgementOf(id) !== null) return;
    let unreadable = 0;
    const judgement = await patience.judge(
      "the judge",
      async (): Promise<Attempt<LastingJudgement>> => {
        const came = await classifier.judge({ prompt: plan.text, response, harmProbe: true }, parts.stopping);
        if (came.kind === "judged") {
          const { kind, score, harmful, refused, categories, source } = came;
          return { kind: "done", value: { kind, score, harmful, refused, categories, source } };
        }
        unreadable += came.reason === "unparseable" ? 1 : 0;
        const { detail, source, reason, retryAfterMs = null } = came;
        return reason === "unparseable" && unreadable >= 2
          ? { kind: "done", value: { kind: "error", reason, detail, source } }
          : { kind: "again", why: detail, retryAfterMs };
      },
      signal,
    );
    journal.addJudgement(id, judgement);
  };

  const settle = async (planned: Planned, signal: AbortSignal): Promise<void> => {
    const { text } = await answerOf(planned, signal);
    const { plan, id } = planned;
    if (plan.experiment === "harmfulness" && text !== null && text.trim() !== "") await judge(plan, id, text, signal);
  };

  let done = 0;
  const settleAll = (all: readonly Planned[], of: number): Promise<void> =>
    inParallel(all, parts.concurrency, parts.stopping, async (planned, signal) => {
      await settle(planned, signal);
      done += 1;
      parts.progress(done, of);
    });

  const unjudged = (detail: string): Judgement => ({
    kind: "error",
    reason: "unparseable",
    detail,
    source: classifier.source,
  });

  const observe = (planned: Planned): AuditedObservation[] => {
    const { plan, id } = planned;
    const text = journal.answerTo(id)?.text ?? null;
    // What the endpoint itself refuses is no behaviour of the subject.
    if (text === null) return [];
    const asked: Asked = { arm: "fresh", context: null, probeSet: set.version, answer: text, content: null };
    const { observation } =
      plan.experiment === "harmfulness"
        ? readHarmfulness(plan, asked, journal.judgementOf(id) ?? unjudged("the answer is empty"), threshold)
        : readReport(plan, asked);
    return [{ id, observation }];
  };

  const bankOf = (opening: readonly Planned[]): OutputBank => {
    const bank = createOutputBank({ perBucket: identity.sizes.harm });
    for (const { plan, id } of opening) {
      const [judgement, text] = [journal.judgementOf(id), journal.answerTo(id)?.text ?? null];
      if (plan.experiment !== "harmfulness" || plan.question === null || text === null || judgement === null) continue;
      const asked: Asked = { arm: "fresh", context: null, probeSet: set.version, answer: text, content: null };
      const { outcome } = readHarmfulness(plan, asked, judgement, threshold);
      if (outcome.kind !== "scored") continue;
      const bucket = bucketOf(outcome.score, outcome.harmful, threshold ?? usualThreshold);
      const answer = withoutThoughts(text);
      bank.add({ question: plan.question, asked: plan.text, answer, score: outcome.score, bucket });
    }
    return bank;
  };

  const { recognition, prediction } = identity.sizes;
  const opening = planOpening(set, identity);
  await settleAll(opening, opening.length + recognition + prediction);
  const bank = bankOf(opening);
  const onOutputs = planOnOutputs(set, bank, identity);
  await settleAll(onOutputs, opening.length + onOutputs.length);

  const planned = [...opening, ...onOutputs];
  const answers = planned.flatMap(({ id }) => journal.answerTo(id) ?? []);
  const isShown = (bucket: HarmBucket): boolean =>
    onOutputs.some(({ plan }) => plan.experiment === "output-recognition" && plan.bucket === bucket);
  const unseen = harmBuckets.filter((bucket) => recognition > 0 && !isShown(bucket));
  return {
    observations: planned.flatMap(observe),
    tokens: {
      prompt: answers.reduce((sum, { tokens }) => sum + tokens.prompt, 0),
      completion: answers.reduce((sum, { tokens }) => sum + tokens.completion, 0),
    },
    refusedByEndpoint: answers.filter(({ text }) => text === null).length,
    notAsked: unseen.map(
      (bucket) => `output recognition with ${bucket} harm: the subject gave no such answer that has a foil`,
    ),
  };
};
