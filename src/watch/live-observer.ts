/**
 * Watches the app's own exchanges: samples them, reads copies of them off the hot path, has answers judged and banks
 * conversations for probes. Never delays or fails an exchange: what cannot be watched is counted and let go.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import type { JudgedText, Judgement } from "../classify/classifier.ts";
import { type Answered, answeredBy } from "../dialect/answered.ts";
import { decodeContent } from "../dialect/content-encoding.ts";
import { answersInText, readAnswer, readRequest } from "../dialect/dialect.ts";
import type { RequestView } from "../dialect/views.ts";
import type { Observation } from "../evidence/entry.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import { isRefusal } from "../probe/refusal.ts";
import type { AnswerRecorder, ExchangeEnd, ExchangeObserver, ExchangeStart } from "../relay/exchange.ts";
import { type ConversationBank, headersToImitate } from "./conversation-bank.ts";
import { createSampler, type Sampler } from "./sampler.ts";
import type { SkipReason, WatchMeter } from "./watch-meter.ts";

/** A bounded queue before the classifier; `dropped` when it is full. */
export interface JudgingQueue {
  judge(text: JudgedText): Promise<Judgement> | "dropped";
}

export interface WatchedSubject {
  id: string;
  live: { sampleRate: number; maxPerHour: number };
  bank: ConversationBank;
}

export interface LiveObserverLimits {
  /** Largest request and largest answer that are copied, each. */
  copyBytes: number;
  /** Most bytes held by all copies together, until they are read. */
  heldBytes: number;
  /** Shortest time between two exchanges of a subject that are banked for probes to fork, in milliseconds. */
  bankEveryMs: number;
  /** Largest request that is banked. */
  bankBytes: number;
  /** So many conversations of a subject are remembered as judged. */
  remembered: number;
}

export const defaultLiveObserverLimits: LiveObserverLimits = {
  copyBytes: 1024 * 1024,
  heldBytes: 128 * 1024 * 1024,
  bankEveryMs: 2_000,
  bankBytes: 64 * 1024,
  remembered: 1000,
};

interface LiveObserverParts {
  subjects: readonly WatchedSubject[];
  queue: JudgingQueue;
  record(subject: string, observation: Observation): void;
  /** What the operator lets be kept of a judged text; null keeps only its hash. */
  keptContent(text: string): string | null;
  /** Score from which an answer counts as harmful, 0-1; null leaves it to the classifier. */
  threshold: number | null;
  meter: WatchMeter;
  clock: Pick<Clock, "monotonic">;
  random: Random;
  limits?: LiveObserverLimits;
}

export interface LiveObserver extends ExchangeObserver {
  /** Resolves once every exchange that has ended is read and judged. For the drain. */
  settled(): Promise<void>;
}

interface Watched extends WatchedSubject {
  sampler: Sampler;
  judged: Set<string>;
  /** Monotonic milliseconds. */
  lastBanked: number;
}

/** One exchange that is being copied. */
interface Copy {
  subject: Watched;
  start: ExchangeStart;
  toJudge: boolean;
  toBank: boolean;
  chunks: Buffer[];
  answerBytes: number;
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Refused for good by the API itself: there is nothing to judge. */
const refusalField = "refusal-field-v1";

type Outcome = Pick<Observation, "outcome" | "value" | "harmful" | "source">;

const outcomeOf = (judgement: Judgement, text: string, threshold: number | null): Outcome => {
  const { source } = judgement;
  if (judgement.kind === "error") return { outcome: "error", value: null, harmful: null, source };
  const harmful = threshold === null ? judgement.harmful : judgement.score >= threshold;
  // An answer that apologises first and then does harm is harm: only a harmless answer can be a refusal.
  if (!harmful && (judgement.refused ?? isRefusal(text))) return { outcome: "refused", value: 0, harmful, source };
  return { outcome: "scored", value: judgement.score, harmful, source };
};

export const createLiveObserver = (parts: LiveObserverParts): LiveObserver => {
  const { queue, record, keptContent, threshold, meter, clock, random } = parts;
  const limits = parts.limits ?? defaultLiveObserverLimits;
  // Conversations are told apart by a keyed hash that nobody can look up, not even the operator after a restart.
  const pepper = randomBytes(32);
  const unsettled = new Set<Promise<void>>();
  let heldBytes = 0;

  const watched = new Map<string, Watched>(
    parts.subjects.map((subject) => [
      subject.id,
      {
        ...subject,
        sampler: createSampler({ rate: subject.live.sampleRate, maxPerHour: subject.live.maxPerHour, random, clock }),
        judged: new Set<string>(),
        lastBanked: Number.NEGATIVE_INFINITY,
      },
    ]),
  );

  const skip = (copy: Copy, reason: SkipReason): void => {
    if (copy.toJudge) meter.skipped(copy.subject.id, reason);
  };

  const letGo = (copy: Copy): void => {
    heldBytes -= copy.start.requestBody.length + copy.answerBytes;
    copy.chunks = [];
    copy.answerBytes = 0;
  };

  const conversationOf = ({ turns }: RequestView): string => {
    const first = turns.find((turn) => turn.role === "user") ?? turns[0];
    return createHmac("sha256", pepper)
      .update(first?.text ?? "")
      .digest("hex")
      .slice(0, 32);
  };

  const remember = ({ judged }: Watched, item: string): void => {
    judged.add(item);
    for (const oldest of judged) {
      if (judged.size <= limits.remembered) break;
      judged.delete(oldest);
    }
  };

  const observe = (copy: Copy, item: string, text: string, outcome: Outcome): void => {
    record(copy.subject.id, {
      kind: "observation",
      experiment: "harmfulness",
      arm: "live",
      stratum: "live",
      item,
      topic: null,
      order: null,
      ...outcome,
      bucket: null,
      reference: null,
      probeSet: null,
      contentHash: hashOf(text),
      content: keptContent(text),
    });
    meter.observed(copy.subject.id, outcome.outcome);
  };

  const judge = async (copy: Copy, request: RequestView, answers: Answered[]): Promise<void> => {
    const { subject } = copy;
    const spoken = answers.filter(({ text, refusal }) => text.trim() !== "" || refusal !== null);
    // One of n choices, by chance: choices to one prompt are no independent looks at the subject.
    const chosen = spoken[Math.floor(random() * spoken.length)];
    if (chosen === undefined) return skip(copy, "no-text");
    const item = conversationOf(request);
    if (subject.judged.has(item)) return skip(copy, "seen-before");
    if (!subject.sampler.claim()) return skip(copy, "capped");
    if (chosen.text.trim() === "") {
      remember(subject, item);
      const outcome: Outcome = { outcome: "refused", value: 0, harmful: false, source: refusalField };
      return observe(copy, item, chosen.refusal ?? "", outcome);
    }
    const judgement = queue.judge({ prompt: chosen.prompt, response: chosen.text });
    if (judgement === "dropped") return skip(copy, "queue-full");
    remember(subject, item);
    observe(copy, item, chosen.text, outcomeOf(await judgement, chosen.text, threshold));
  };

  const bank = ({ subject, start }: Copy, request: RequestView, answers: Answered[]): void => {
    const text = answers[0]?.text ?? "";
    // Prompts without roles are no conversation that could be forked.
    if (text.trim() === "" || request.turns.length === 0 || request.prompts !== undefined) return;
    subject.bank.keep(
      {
        turns: [...request.turns, { role: "assistant", text }],
        parameters: request.parameters,
        headers: headersToImitate(start.requestHeaders),
      },
      start.requestBody.length + Buffer.byteLength(text),
    );
  };

  /** What was asked and answered, or why that can't be told. */
  const read = async (
    { start, chunks }: Copy,
    end: ExchangeEnd,
  ): Promise<{ request: RequestView; answers: Answered[] } | SkipReason> => {
    const decoded = await decodeContent(Buffer.concat(chunks), end.contentEncoding);
    if (decoded.kind === "undecodable") return "undecodable";
    const request = readRequest(start.path, start.requestBody);
    const answer = readAnswer(start.path, end.contentType, decoded.bytes);
    if (request === null || answer === null) return "unreadable";
    return answer.complete ? { request, answers: answeredBy(request, answer) } : "incomplete";
  };

  const watch = async (copy: Copy, end: ExchangeEnd): Promise<void> => {
    try {
      // The bytes must not stay for as long as a judge takes.
      const seen = await read(copy, end).finally(() => letGo(copy));
      if (typeof seen === "string") return skip(copy, seen);
      if (copy.toBank) bank(copy, seen.request, seen.answers);
      if (copy.toJudge) await judge(copy, seen.request, seen.answers);
    } catch {
      skip(copy, "failed");
    }
  };

  const recorderFor = (copy: Copy): AnswerRecorder => {
    let copying = true;
    const giveUp = (reason: SkipReason): void => {
      copying = false;
      letGo(copy);
      skip(copy, reason);
    };
    return {
      chunk(bytes) {
        if (!copying) return;
        copy.chunks.push(bytes);
        copy.answerBytes += bytes.length;
        heldBytes += bytes.length;
        if (copy.answerBytes > limits.copyBytes) giveUp("too-large");
        else if (heldBytes > limits.heldBytes) giveUp("busy");
      },
      end(end) {
        if (!copying) return;
        if (end.outcome !== "complete" || end.status !== 200) return giveUp("incomplete");
        copying = false;
        const work = new Promise<void>((done) => setImmediate(done)).then(() => watch(copy, end));
        unsettled.add(work);
        void work.finally(() => unsettled.delete(work));
      },
    };
  };

  /** Banking has a pace of its own: a quiet app's conversations are all kept, a busy app's cost no more than that. */
  const isTimeToBank = (subject: Watched, requestBytes: number): boolean => {
    if (requestBytes > limits.bankBytes) return false;
    const now = clock.monotonic();
    if (now - subject.lastBanked < limits.bankEveryMs) return false;
    subject.lastBanked = now;
    return true;
  };

  return {
    begin(start) {
      const subject = start.subject === null ? undefined : watched.get(start.subject);
      if (subject === undefined) return null;
      subject.bank.noteTraffic();
      if (!answersInText(start.path)) return null;
      const requestBytes = start.requestBody.length;
      const draw = subject.sampler.draw();
      const toJudge = draw === "sampled";
      const toBank = isTimeToBank(subject, requestBytes);
      if (draw === "capped") meter.skipped(subject.id, "capped");
      if (!toJudge && !toBank) return null;
      const copy: Copy = { subject, start, toJudge, toBank, chunks: [], answerBytes: 0 };
      const tooLarge = requestBytes > limits.copyBytes;
      if (tooLarge || heldBytes + requestBytes > limits.heldBytes) {
        skip(copy, tooLarge ? "too-large" : "busy");
        return null;
      }
      heldBytes += requestBytes;
      return recorderFor(copy);
    },
    async settled() {
      while (unsettled.size > 0) await Promise.all(unsettled);
    },
  };
};
