/**
 * An app, the relay, the prober and an upstream that writes down all it can see, over real sockets; only time is turned
 * by hand, and stands still while a request is under way.
 */
import { Agent, createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import type { Judgement } from "../../src/classify/classifier.ts";
import { configSchema } from "../../src/config/schema.ts";
import { createEgress } from "../../src/egress/egress.ts";
import { type Clock, systemClock } from "../../src/kernel/clock.ts";
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import type { Question } from "../../src/probe/asking.ts";
import { loadProbeSet } from "../../src/probe/load-probe-set.ts";
import { createProber } from "../../src/probe/scheduler.ts";
import { createAsker } from "../../src/probe/subject-asker.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { createConversationBank } from "../../src/watch/conversation-bank.ts";
import { createLiveObserver, defaultLiveObserverLimits } from "../../src/watch/live-observer.ts";

/** What the upstream saw of one request, and what only the test knows: when it was sent, and by whom. */
export interface SeenRequest {
  probe: boolean;
  /** Milliseconds of the clock that is turned by hand. */
  at: number;
  url: string;
  rawHeaders: string[];
  body: string;
  /** Which connection, and how many requests it had carried before. */
  connection: number;
  carried: number;
}

export interface ClientShape {
  name: string;
  /** Raw headers without Host and Content-Length. */
  headers(random: Random, call: number): string[];
  body(messages: { role: string; content: string }[], random: Random): string;
}

interface Scene {
  shape: ClientShape;
  arm: "fresh" | "forked";
  calls: number;
  perHour: number;
  seed: number;
  /** Takes the place of callers' keys. */
  upstreamKey?: string;
  /** For fresh probes. */
  probeKey?: string;
  /** Under whose key fresh probes go. */
  freshKey?: "own" | "caller";
  /** Share of probes that are canaries; they are off by default. */
  canaries?: number;
  /** Changes questions before they are asked, to try what would give them away. */
  change?: (question: Question) => Question;
  /** Whether probes keep to the app's rhythm. */
  rhythm?: boolean;
}

const set = await loadProbeSet("builtin");
const noLog = { info() {}, warn() {}, error() {}, debug() {} };

/** Timers run in order; after each, time waits until `busy` says that nothing is under way. */
const createPatientClock = (busy: () => boolean): Clock & { advance(ms: number): Promise<void> } => {
  let now = 1_000;
  let serial = 0;
  const timers = new Map<number, { at: number; callback: () => void }>();
  const settle = async (): Promise<void> => {
    do await turn();
    while (busy());
    // A connection is free again a little after its answer was given.
    for (let turns = 0; turns < 3; turns += 1) await turn();
  };
  return {
    now: () => 1_790_000_000_000 + now,
    monotonic: () => now,
    after(ms, callback) {
      serial += 1;
      const id = serial;
      timers.set(id, { at: now + ms, callback });
      return () => timers.delete(id);
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
        if (due === undefined) break;
        timers.delete(due[0]);
        now = Math.max(now, due[1].at);
        due[1].callback();
        await settle();
      }
      now = end;
    },
  };
};

const words = "the bike shop order café brake naïve parcel refund price colour wheel today please could you tell".split(
  " ",
);
const sentence = (random: Random, from: number, to: number): string => {
  const count = from + Math.floor(random() * (to - from));
  return Array.from({ length: count }, () => words[Math.floor(random() * words.length)]).join(" ");
};

const exponential = (random: Random, mean: number): number => -Math.log(1 - random()) * mean;
/** In bursts: seconds within a conversation or between those of a busy minute, then a minute of nothing. */
const pauseOf = (random: Random): number => exponential(random, random() < 0.8 ? 1_500 : 40_000);

export const watchUpstream = async (scene: Scene): Promise<SeenRequest[]> => {
  const { shape, arm, calls, perHour, seed, upstreamKey, change = (question) => question } = scene;
  // A source for each: what one draws must not depend on how sockets take turns.
  const source = (part: number): Random => seededRandom(100 * seed + part);
  const random = source(0);
  const answering = source(1);
  const banking = source(2);
  const asking = source(3);
  const probing = source(4);
  const seen: SeenRequest[] = [];
  const sent = new Map<string, { probe: boolean; at: number }[]>();
  let underWay = 0;
  const clock = createPatientClock(() => underWay > 0);
  const send = (body: string, probe: boolean): void => {
    underWay += 1;
    sent.set(body, [...(sent.get(body) ?? []), { probe, at: clock.monotonic() }]);
  };

  const connections = new Map<unknown, { id: number; carried: number }>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = Buffer.concat(parts).toString();
      const by = sent.get(body)?.shift();
      const { id, carried } = connections.get(request.socket) ?? { id: connections.size, carried: 0 };
      connections.set(request.socket, { id, carried: carried + 1 });
      const { url = "", rawHeaders } = request;
      if (by !== undefined) seen.push({ ...by, url, rawHeaders, body, connection: id, carried });
      const content = sentence(answering, 8, 40);
      if (JSON.parse(body).stream === true) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        const choice = { index: 0, delta: { content }, finish_reason: "stop" };
        response.end(`data: ${JSON.stringify({ choices: [choice] })}\n\ndata: [DONE]\n\n`);
      } else {
        response.writeHead(200, { "content-type": "application/json" });
        const choice = { index: 0, message: { role: "assistant", content }, finish_reason: "stop" };
        response.end(JSON.stringify({ choices: [choice] }));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const config = configSchema.parse({
    upstreams: [{ id: "main", baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` }],
    subjects: [
      {
        id: "bot",
        models: ["gpt-test"],
        probes: {
          perHour,
          maxCallsPerHour: 100_000,
          maxTokensPerHour: 1e9,
          maxCallsPerDay: 100_000,
          maxTokensPerDay: 1e9,
          arms: { fresh: 0, forked: 0, resample: 0, placebo: 0, [arm]: 1 },
          freshKey: scene.freshKey ?? "own",
          canary: { enabled: scene.canaries !== undefined, share: scene.canaries ?? 0 },
        },
        live: { sampleRate: 0 },
      },
    ],
    drain: { minSeconds: 0, timeoutSeconds: 0 },
  });
  const [subject] = config.subjects;
  if (subject === undefined) throw new Error("the configuration has a subject");
  const egress = createEgress(config.upstreams);
  const bank = createConversationBank({ clock, random: banking });
  const judge = async (): Promise<Judgement> => ({
    kind: "judged",
    score: 0.1,
    harmful: false,
    refused: null,
    categories: [],
    source: "none",
  });
  const observer = createLiveObserver({
    subjects: [{ ...subject, bank }],
    onFlagged() {},
    queue: { judge },
    record() {},
    keptContent: () => null,
    threshold: null,
    meter: { skipped() {}, observed() {} },
    clock,
    random: banking,
    limits: { ...defaultLiveObserverLimits, bankEveryMs: 0 },
  });
  const meter = { requestStarted() {}, requestFinished() {}, requestRefused() {}, bytes() {} };
  const relay = createRelay({ ...config, meter, clock: systemClock, log: noLog });
  relay.use(
    relay.prepare({
      ...config,
      egress,
      keys: new Map(upstreamKey === undefined ? [] : [["main", upstreamKey]]),
      observer,
      holding: { answerBytes: 1024 * 1024, streamBytes: 1024 * 1024, keepAliveMs: 10_000, lastEvent: "done" },
      meter,
    }),
  );
  const { port } = await relay.listen("127.0.0.1", 0);
  const post = egress.postFor("main");
  const ask = createAsker({
    post(sendable, signal) {
      send(sendable.body, true);
      return post(sendable, signal).finally(() => {
        underWay -= 1;
      });
    },
    model: "gpt-test",
    key: scene.probeKey ?? upstreamKey ?? null,
    passCallerKey: upstreamKey === undefined,
    timeoutMs: 10_000,
    maxAnswerTokens: subject.probes.maxAnswerTokens,
    answerBound: subject.probes.answerBound,
    forkTools: subject.probes.forkTools,
    random: asking,
    now: clock.now,
  });
  const { rhythm: _, ...withoutRhythm } = bank;
  const prober = createProber({
    settings: subject.probes,
    set,
    ask: (question, signal) => ask(change(question), signal),
    classifier: { source: "none", judge },
    harmThreshold: null,
    conversations: scene.rhythm === false ? withoutRhythm : bank,
    mix: () => ({ harm: 0.7, selfReport: { choice: 0.45, recognition: 0.3, rating: 0.25 } }),
    phase: () => "monitoring",
    record() {},
    keep: () => null,
    clock,
    random: probing,
    meter: { asked() {}, answered() {}, failed() {}, outcome() {}, skipped() {} },
  });

  const agent = new Agent({ keepAlive: true });
  const call = (body: string, headers: string[]): Promise<void> => {
    send(body, false);
    const length = ["Content-Length", String(Buffer.byteLength(body))];
    const all = ["Host", `127.0.0.1:${port}`, ...headers, ...length];
    return new Promise<void>((resolve, reject) => {
      const options = { port, method: "POST", path: "/v1/chat/completions", headers: all, agent };
      const sending = httpRequest(options as never, (response) => response.resume().on("end", resolve));
      sending.on("error", reject).end(body);
    }).finally(() => {
      underWay -= 1;
    });
  };

  const system = { role: "system", content: `You help in a shop. ${sentence(seededRandom(9), 60, 61)}` };
  let conversation = [system];
  try {
    prober.start();
    for (let number = 0; number < calls; number += 1) {
      await clock.advance(pauseOf(random));
      // However long a conversation is, it goes on with the same chance: so does a fork of any of them.
      const goesOn = conversation.length > 1 && random() < 0.6;
      const before = goesOn ? [...conversation, { role: "assistant", content: sentence(random, 8, 40) }] : [system];
      conversation = [...before, { role: "user", content: sentence(random, 6, 40) }];
      await call(shape.body(conversation, random), shape.headers(random, number));
      await observer.settled();
    }
  } finally {
    await prober.stop();
    agent.destroy();
    await relay.close();
    await egress.close();
    server.closeAllConnections();
    server.close();
  }
  return seen;
};
