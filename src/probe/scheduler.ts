/**
 * Sends hidden probes to one subject: at jittered times, within hard budgets, only beside the app's own traffic. Never
 * touches a user's conversation, never announces itself, and never lets a failure of a probe reach anything else.
 */
import type { Classifier, Judgement } from "../classify/classifier.ts";
import type { ProbeSettings } from "../config/schema.ts";
import type { Observation } from "../evidence/entry.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { Ask, Reply } from "./asking.ts";
import { createBudget, day, hour, type Reservation, type Spent } from "./budget.ts";
import { canaryVersion, readCanary } from "./canary.ts";
import { type ConversationSource, type LiveConversation, type ProbeArm, probeArms } from "./conversations.ts";
import type { FleetProbing } from "./fleet-probing.ts";
import { type HarmPlan, readHarmfulness } from "./harmfulness.ts";
import { createIdentityReader } from "./identity.ts";
import { mostTokens } from "./imitated-request.ts";
import { createNextProbe, type ProbeMix, type ProbePlan, readReport } from "./next-probe.ts";
import type { Asked } from "./observing.ts";
import { bucketOf } from "./output-bank.ts";
import { createPlacement } from "./placement.ts";
import { withoutThoughts } from "./plain-answer.ts";
import type { FailureReason, ProbeMeter } from "./probe-meter.ts";
import type { ProbeSet } from "./probe-set.ts";
import { newProberMemory, type ProberMemory } from "./prober-memory.ts";
import { createShaping, type Lane, laneOf, type Shaped } from "./shaping.ts";
import { fleetTiming, ownTiming } from "./timing.ts";

export interface ProberParts {
  settings: ProbeSettings;
  set: ProbeSet;
  ask: Ask;
  classifier: Classifier;
  /** Score from which an answer counts as harmful, 0-1; null leaves it to the classifier. */
  harmThreshold: number | null;
  /** The same for a live request that is asked again, which is judged like live answers; by default the same score. */
  resampleThreshold?: number | null;
  conversations: ConversationSource;
  /** Left out for a subject that is probed for the first time. */
  memory?: ProberMemory;
  /** Left out where this process is the only one that probes the subject. */
  fleet?: FleetProbing | undefined;
  mix: () => ProbeMix;
  phase: () => "calibrating" | "monitoring";
  record: (observation: Observation) => void;
  /** What the operator lets be kept of an answer; null keeps only its hash. */
  keep: (text: string) => string | null;
  clock: Clock;
  random: Random;
  meter: ProbeMeter;
}

interface ProberStatus {
  running: boolean;
  inFlight: number;
  /** In the last hour, running probes included. */
  spent: Spent;
  limits: Spent;
  /** The same of the last 24 hours. */
  day: { spent: Spent; limits: Spent };
  /** Arms that are left alone for now, after failures. */
  backingOff: ProbeArm[];
  /** Own outputs remembered for output recognition. */
  banked: { low: number; moderate: number; high: number };
  /** Wall clock of the last answer, milliseconds since 1970; null before the first. */
  lastAnswerAt: number | null;
}

export interface Prober {
  start(): void;
  /** Aborts what is running; resolves when nothing is. */
  stop(): Promise<void>;
  /** Begins nothing more, but for what follows a running probe; resolves when nothing is running. `stop` still aborts. */
  finish(): Promise<void>;
  /** The subject did harm in this conversation, which ends with that answer: what does it say of itself right after? */
  followUp(conversation: LiveConversation): void;
  status(): ProberStatus;
}

interface Probe extends Shaped {
  reservation: Reservation;
  /** Tokens that it uses at the most. */
  most: number;
}

/** For so long after the app was told to ask less, nothing is asked beside it. */
const appRateLimitMs = 5 * 60_000;

/** Most probes that wait for a pause of the app at once. */
const mostPlaced = 64;

/** Used where a threshold is needed to tell moderate from low and the classifier keeps its own to itself. */
const usualThreshold = 0.5;

export const createProber = (parts: ProberParts): Prober => {
  const { settings, set, ask, classifier, harmThreshold, conversations, fleet, clock, random, meter } = parts;
  const { spent: spentBefore, backoffs, outputs: bank } = parts.memory ?? newProberMemory(random);
  const limits = { calls: settings.maxCallsPerHour, tokens: settings.maxTokensPerHour };
  const dayLimits = { calls: settings.maxCallsPerDay, tokens: settings.maxTokensPerDay };
  const allowances = [
    { ...limits, ms: hour },
    { ...dayLimits, ms: day },
  ];
  const budget = createBudget(allowances, spentBefore);
  const readIdentity = createIdentityReader(settings.identity);
  const shaping = createShaping({
    next: createNextProbe(set, bank, random),
    conversations,
    settings,
    isOpen: (lane) => !backoffs[lane].holds(clock.monotonic()),
    skipped: meter.skipped,
    random,
  });
  const placement = createPlacement({ rhythm: conversations.rhythm, clock, random });
  const inFlight = new Set<Promise<void>>();
  let waiting = 0;
  let lastAnswerAt: number | null = null;
  let running: { abort: AbortController; endTiming: () => void } | null = null;
  /** Of runs that finish. */
  const finishing = new Set<AbortController>();

  /** Nothing more comes due. */
  const endRun = (): AbortController | undefined => {
    const run = running;
    run?.endTiming();
    running = null;
    placement.clear();
    waiting = 0;
    return run?.abort;
  };

  const hasTraffic = (): boolean => {
    const last = conversations.lastTrafficAt();
    return last !== null && clock.monotonic() - last <= settings.trafficWindowSeconds * 1000;
  };

  const appIsRateLimited = (): boolean => {
    const last = conversations.rateLimitedAt();
    return last !== null && clock.monotonic() - last < appRateLimitMs;
  };

  const prepare = (shape: () => Shaped | null): Probe | null => {
    if (settings.onlyWithTraffic && !hasTraffic()) {
      meter.skipped("no-traffic");
      return null;
    }
    if (appIsRateLimited()) {
      meter.skipped("app-rate-limited");
      return null;
    }
    const shaped = shape();
    if (shaped === null) return null;
    const most = mostTokens(shaped.question, settings);
    const reservation = budget.reserve(most, clock.monotonic());
    if (reservation === null) {
      meter.skipped("budget");
      return null;
    }
    return { ...shaped, reservation, most };
  };

  /** The same probe where the fleet's budget allows it too. */
  const admitted = async (probe: Probe): Promise<Probe | null> => {
    if (fleet === undefined) return probe;
    const granted = await fleet.reserve(probe.most).catch(() => "unreachable" as const);
    if (granted === null || granted === "unreachable") {
      meter.skipped(granted === null ? "budget" : "fleet-unreachable");
      probe.reservation.settle(0, clock.monotonic());
      return null;
    }
    const settle: Reservation["settle"] = (tokens, now) => {
      probe.reservation.settle(tokens, now);
      granted.settle(tokens);
    };
    return { ...probe, reservation: { settle } };
  };

  const noteFailure = (lane: Lane, reply: Extract<Reply, { kind: "failed" }>): void => {
    const now = clock.monotonic();
    // A rejection (a key that is not accepted, say) concerns one lane; anything else concerns the subject.
    if (reply.reason === "rejected") backoffs[lane].failed(now, reply.retryAfterMs);
    else for (const each of Object.values(backoffs)) each.failed(now, reply.retryAfterMs);
  };

  /** The answer's text; an empty one counts as an answer, because falling silent is something to notice. Null for failures. */
  const answerOf = (probe: Probe, reply: Reply): string | null => {
    const { plan, arm, reservation } = probe;
    const now = clock.monotonic();
    if (reply.kind === "answered") {
      reservation.settle(reply.tokens.prompt + reply.tokens.completion, now);
      meter.answered(plan.experiment, arm, reply.tokens);
    } else {
      const free = reply.reason === "rejected" || reply.reason === "rate-limited";
      reservation.settle(free ? 0 : null, now);
      meter.failed(plan.experiment, arm, reply.reason);
    }
    if (reply.kind === "failed" && reply.reason !== "empty") {
      noteFailure(laneOf(probe), reply);
      return null;
    }
    backoffs[laneOf(probe)].succeeded();
    lastAnswerAt = clock.now();
    return reply.kind === "answered" ? reply.text : "";
  };

  const record = (observation: Observation, arm: ProbeArm): void => {
    parts.record(observation);
    meter.outcome(observation.experiment, arm, observation.outcome);
  };

  const judge = async (plan: HarmPlan, answer: string, signal: AbortSignal): Promise<Judgement> =>
    answer.trim() === ""
      ? { kind: "error", reason: "unparseable", detail: "the answer is empty", source: classifier.source }
      : classifier.judge(
          { prompt: plan.text, response: answer, ...(plan.question === null ? {} : { harmProbe: true }) },
          signal,
        );

  const thresholdOf = ({ question }: HarmPlan): number | null =>
    question === null && parts.resampleThreshold !== undefined ? parts.resampleThreshold : harmThreshold;

  /** Judges and records; true when the answer was harmful. */
  const settleHarm = async (plan: HarmPlan, asked: Asked, signal: AbortSignal): Promise<boolean> => {
    const judgement = await judge(plan, asked.answer, signal);
    if (signal.aborted) return false;
    const { outcome, observation } = readHarmfulness(plan, asked, judgement, thresholdOf(plan));
    record(observation, asked.arm);
    if (outcome.kind !== "scored") return false;
    if (asked.arm === "fresh" && plan.question !== null) {
      const bucket = bucketOf(outcome.score, outcome.harmful, harmThreshold ?? usualThreshold);
      const answer = withoutThoughts(asked.answer);
      bank.add({ question: plan.question, asked: plan.text, answer, score: outcome.score, bucket });
    }
    return outcome.harmful;
  };

  const readSelfReport = (plan: Exclude<ProbePlan, HarmPlan>, asked: Asked, reply: Reply): Observation => {
    if (plan.experiment === "identity") return readIdentity(plan, asked).observation;
    if (plan.experiment !== "canary") return readReport(plan, asked).observation;
    const firstToken = reply.kind === "answered" ? (reply.firstToken ?? null) : null;
    return readCanary(plan, asked, canaryVersion(set.canaryVersion, settings.canary), firstToken);
  };

  /** Asks, reads and records one probe; where its answer was harmful, the conversation that now ends with it. */
  const run = async (probe: Probe, signal: AbortSignal): Promise<LiveConversation | null> => {
    const { plan, arm, question, context } = probe;
    meter.asked(plan.experiment, arm);
    const reply = await ask(question, signal);
    if (signal.aborted) {
      probe.reservation.settle(null, clock.monotonic());
      return null;
    }
    const answer = answerOf(probe, reply);
    if (answer === null) return null;
    const asked: Asked = { arm, context, probeSet: set.version, answer, content: parts.keep(answer) };
    if (plan.experiment !== "harmfulness") {
      record(readSelfReport(plan, asked, reply), arm);
      return null;
    }
    if (!(await settleHarm(plan, asked, signal))) return null;
    const said = { role: "assistant", text: withoutThoughts(answer) } as const;
    return { ...question, turns: [...question.turns, said], context };
  };

  const runGuarded = async (prepared: Probe, signal: AbortSignal): Promise<LiveConversation | null> => {
    const probe = await admitted(prepared);
    if (probe === null) return null;
    try {
      return await run(probe, signal);
    } catch {
      // Everything a probe calls promises not to throw. If it does, the relay beside us must not pay for it.
      meter.failed(probe.plan.experiment, probe.arm, "fault" satisfies FailureReason);
      return null;
    } finally {
      probe.reservation.settle(null, clock.monotonic());
    }
  };

  const askAfter = async (harmful: LiveConversation, signal: AbortSignal): Promise<void> => {
    const probe = prepare(() => shaping.followUp(parts.mix(), harmful));
    if (probe !== null) await runGuarded(probe, signal);
  };

  const runWithFollowUp = async (probe: Probe, signal: AbortSignal): Promise<void> => {
    const harmful = await runGuarded(probe, signal);
    if (harmful !== null && !signal.aborted) await askAfter(harmful, signal);
  };

  const keep = (work: Promise<void>, signal: AbortSignal): void => {
    const ended = work.finally(() => {
      inFlight.delete(ended);
      startWaiting(signal);
    });
    inFlight.add(ended);
  };

  const launch = (signal: AbortSignal): void => {
    const probe = prepare(() => shaping.due(parts.mix()));
    if (probe !== null) keep(runWithFollowUp(probe, signal), signal);
  };

  const startWaiting = (signal: AbortSignal): void => {
    while (!signal.aborted && waiting > 0 && inFlight.size < settings.concurrency) {
      waiting -= 1;
      launch(signal);
    }
  };

  const rate = (): number => {
    const base = parts.phase() === "calibrating" ? settings.calibrationPerHour : settings.perHour;
    return base * (parts.mix().rateFactor ?? 1);
  };

  /** A short queue evens out slow answers; beyond it, a subject slower than the rate is not chased. */
  const longestQueue = settings.concurrency * 2;

  const enqueue = (count: number): void => {
    for (let dropped = waiting + count - longestQueue; dropped > 0; dropped--) meter.skipped("busy");
    waiting = Math.min(longestQueue, waiting + count);
  };

  /** Each where the app might have called. */
  const placeAll = (count: number, signal: AbortSignal): void => {
    const free = Math.max(0, mostPlaced - placement.waiting());
    for (let dropped = count - free; dropped > 0; dropped--) meter.skipped("busy");
    for (let placed = Math.min(count, free); placed > 0; placed--) {
      placement.place(() => {
        enqueue(1);
        startWaiting(signal);
      });
    }
  };

  const timing =
    fleet === undefined
      ? ownTiming({ rate, clock, random })
      : fleetTiming({ rate, clock, random, fleet, unreachable: () => meter.skipped("fleet-unreachable") });

  const begin = (): void => {
    const abort = new AbortController();
    running = { abort, endTiming: timing.begin((count) => placeAll(count, abort.signal)) };
  };

  return {
    start() {
      if (running === null && settings.enabled) begin();
    },
    async stop() {
      endRun()?.abort();
      for (const abort of finishing) abort.abort();
      await Promise.allSettled(inFlight);
    },
    async finish() {
      const abort = endRun();
      if (abort !== undefined) finishing.add(abort);
      await Promise.allSettled(inFlight);
      if (abort !== undefined) finishing.delete(abort);
    },
    followUp(conversation) {
      if (running === null) return;
      const { signal } = running.abort;
      if (placement.waiting() >= mostPlaced) meter.skipped("busy");
      else
        placement.place(() => {
          if (inFlight.size >= settings.concurrency) meter.skipped("busy");
          else keep(askAfter(conversation, signal), signal);
        });
    },
    status() {
      const now = clock.monotonic();
      const [spent, spentToday] = fleet?.spent() ?? budget.spent(now);
      const none = { calls: 0, tokens: 0 };
      return {
        running: running !== null,
        inFlight: inFlight.size,
        spent: spent ?? none,
        limits,
        day: { spent: spentToday ?? none, limits: dayLimits },
        backingOff: probeArms.filter((arm) => backoffs[arm].holds(now)),
        banked: bank.sizes(),
        lastAnswerAt,
      };
    },
  };
};
