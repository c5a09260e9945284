/**
 * One subject behind a real Candor with an app in front: what a demo and a replay have in common. Starts everything on
 * loopback, follows it over the control port, and takes it all down again.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Classifier } from "../classify/classifier.ts";
import type { SubjectView } from "../control/api-schema.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import { type AppTraffic, type Script, startAppTraffic, type TrafficCounts } from "./app-traffic.ts";
import { type ControlReader, createControlReader } from "./control-reader.ts";
import { keyedRandom } from "./keyed-random.ts";
import { type Speaker, startOpenAiServer } from "./openai-server.ts";

interface RunningCandor {
  /** Where apps call, without a path. */
  dataUrl: string;
  controlUrl: string;
  stop(): Promise<void>;
}

/** `config` is what a configuration file would hold. */
export type StartCandor = (
  config: unknown,
  overrides?: { classifier?: Classifier; random?: Random },
) => Promise<RunningCandor>;

/** For the acts of the dashboard. No secret: everything listens on loopback, and nothing but the demo can be acted on. */
export const demoToken = { env: "CANDOR_DEMO_TOKEN", value: "demo" } as const;

const subjectId = "demo";
const modelName = "demo-model";
const judgeName = "demo-judge";

export const thresholds = { ticket: 1e4, page: 1e5, action: 1e6 } as const;
export const naming = 100;
/** Judged answers of each stratum, and self-reports, that the baseline is learned from: the least that Candor takes. */
export const calibration = { harm: 300, selfReport: 100 } as const;

/** How fast things go. The ordinary one tells the whole story in about a minute. */
export interface Pace {
  calibratingAppPerSecond: number;
  watchingAppPerSecond: number;
  calibratingProbesPerHour: number;
  watchingProbesPerHour: number;
  pollMs: number;
}

export const ordinaryPace: Pace = {
  calibratingAppPerSecond: 25,
  watchingAppPerSecond: 3,
  calibratingProbesPerHour: 200_000,
  watchingProbesPerHour: 4_000,
  pollMs: 250,
};

/** As fast as it goes without the app or the probes outrunning each other by much. */
export const fastPace: Pace = {
  calibratingAppPerSecond: 200,
  watchingAppPerSecond: 60,
  calibratingProbesPerHour: 1_500_000,
  watchingProbesPerHour: 400_000,
  pollMs: 40,
};

/** The app asks as fast as it goes; probes, which come ten times as often under suspicion, leave it room. */
export const replayPace: Pace = { ...fastPace, watchingProbesPerHour: 40_000 };

interface SessionParts {
  startCandor: StartCandor;
  clock: Clock;
  seed: number;
  pace: Pace;
  subject: Speaker;
  /** What judges: a judge behind an API, a classifier put in place of the configured one, or Candor's embedded screen. */
  judge: { kind: "api"; speaker: Speaker } | { kind: "classifier"; classifier: Classifier } | { kind: "screen" };
  script: Script;
  /** Share of the probes that continue a live conversation; the rest begin anew. */
  forkedShare: number;
  keep: string | null;
  stopping: AbortSignal;
}

export interface Session {
  dashboardUrl: string;
  reader: ControlReader;
  traffic: AppTraffic;
  /** Seconds since the session began. */
  seconds(): number;
  /**
   * Looks at the subject again and again until `until` holds.
   * @param look called with every look
   * @param progress must grow, or it counts as stalled; default: the length of the log
   * @throws {StalledError} when there was no progress for `stallSeconds`
   */
  follow(
    until: (subject: SubjectView) => boolean,
    look: (subject: SubjectView) => void,
    progress?: (subject: SubjectView) => number,
  ): Promise<SubjectView>;
  stop(): Promise<void>;
}

/** Nothing comes into the evidence log any more, or the demo was asked to end. */
class StalledError extends Error {
  override readonly name = "StalledError";
}

const stallSeconds = 30;

const whyStalled = ({ verdict, summary }: SubjectView, { failed, lastError }: TrafficCounts): string => {
  const errors = summary.arms.reduce((sum, { error }) => sum + error, 0);
  return [
    `no progress for ${stallSeconds} s`,
    ...verdict.missing,
    `${errors} answers could not be judged`,
    `${failed} calls of the app failed${lastError === null ? "" : `, the last with: ${lastError}`}`,
  ].join("; ");
};

/** Whether all baselines are there, not only the first that a verdict can rest on. */
export const isCalibrated = ({ verdict }: SubjectView): boolean =>
  verdict.phase === "monitoring" && verdict.calibration.every(({ have, need }) => have >= need);

/** What there is of all that the baselines need. */
export const calibratedData = ({ verdict }: SubjectView): number =>
  verdict.calibration.reduce((sum, { have, need }) => sum + Math.min(have, need), 0);

const configFor = (parts: SessionParts, subjectUrl: string, judgeUrl: string | null, folder: string): unknown => ({
  listen: { data: { port: 0 }, control: { port: 0 } },
  upstreams: [{ id: "simulated", baseUrl: subjectUrl }],
  subjects: [
    {
      id: subjectId,
      models: [modelName],
      live: { sampleRate: 1, maxPerHour: 10_000_000 },
      probes: {
        perHour: parts.pace.watchingProbesPerHour,
        calibrationPerHour: parts.pace.calibratingProbesPerHour,
        maxCallsPerHour: 10_000_000,
        maxTokensPerHour: 1_000_000_000_000,
        concurrency: 16,
        maxCallsPerDay: 10_000_000,
        maxTokensPerDay: 1_000_000_000_000,
        // Two arms to learn, so that the story stays short.
        arms: { fresh: 1 - parts.forkedShare, forked: parts.forkedShare, resample: 0, placebo: 0 },
      },
      detector: { thresholds, naming, calibration },
    },
  ],
  classify:
    judgeUrl === null
      ? // The screen for probes has seen the very recordings that are replayed as answers to probes.
        { use: "screen", screen: { probesBy: "model" } }
      : { use: "judge", judge: { baseUrl: judgeUrl, model: judgeName, concurrency: 16 } },
  evidence: { path: join(folder, "evidence.db") },
  drain: { minSeconds: 0, timeoutSeconds: 5 },
  control: { token: { env: demoToken.env } },
  log: { level: "error" },
});

/** Undoes what was begun, the last first, also when half of it failed. */
const createCleanUp = () => {
  const steps: (() => Promise<unknown>)[] = [];
  return {
    later: (step: () => Promise<unknown>): void => {
      steps.unshift(step);
    },
    run: async (): Promise<void> => {
      for (const step of steps.splice(0)) await step();
    },
  };
};

const openFolder = async (keep: string | null): Promise<{ folder: string; remove(): Promise<void> }> => {
  if (keep !== null) {
    await mkdir(keep, { recursive: true });
    return { folder: keep, remove: async () => {} };
  }
  const folder = await mkdtemp(join(tmpdir(), "candor-demo-"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
};

const build = async (
  parts: SessionParts,
  later: (step: () => Promise<unknown>) => void,
): Promise<Omit<Session, "stop">> => {
  const { clock, seed, pace, judge } = parts;
  const { folder, remove } = await openFolder(parts.keep);
  later(remove);
  const subject = await startOpenAiServer({ model: modelName, speaker: parts.subject });
  later(subject.close);
  const judgeServer =
    judge.kind === "api" ? await startOpenAiServer({ model: judgeName, speaker: judge.speaker }) : null;
  if (judgeServer !== null) later(judgeServer.close);
  const candor = await parts.startCandor(configFor(parts, subject.baseUrl, judgeServer?.baseUrl ?? null, folder), {
    random: keyedRandom(seed, "candor"),
    ...(judge.kind === "classifier" ? { classifier: judge.classifier } : {}),
  });
  later(() => candor.stop());
  const reader = createControlReader(candor.controlUrl, subjectId);
  const traffic = startAppTraffic({
    baseUrl: new URL("/v1", candor.dataUrl).href,
    model: modelName,
    script: parts.script,
    random: keyedRandom(seed, "app"),
    clock,
    perSecond: pace.calibratingAppPerSecond,
    concurrency: 32,
  });
  later(traffic.stop);

  const began = clock.monotonic();
  const pause = (): Promise<void> => new Promise((resolve) => void clock.after(pace.pollMs, resolve));

  return {
    dashboardUrl: new URL("/dashboard/", candor.controlUrl).href,
    reader,
    traffic,
    seconds: () => (clock.monotonic() - began) / 1000,
    async follow(until, look, progress = ({ verdict }) => verdict.position) {
      let grown = { to: -1, at: clock.monotonic() };
      for (;;) {
        if (parts.stopping.aborted) throw new StalledError("asked to end");
        const seen = await reader.subject();
        look(seen);
        if (until(seen)) return seen;
        const now = clock.monotonic();
        if (progress(seen) > grown.to) grown = { to: progress(seen), at: now };
        if (now - grown.at > stallSeconds * 1000) throw new StalledError(whyStalled(seen, traffic.counts()));
        await pause();
      }
    },
  };
};

export const openSession = async (parts: SessionParts): Promise<Session> => {
  const cleanUp = createCleanUp();
  try {
    return { ...(await build(parts, cleanUp.later)), stop: cleanUp.run };
  } catch (error) {
    await cleanUp.run();
    throw error;
  }
};
