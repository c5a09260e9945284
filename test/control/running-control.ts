/** A control port on a real socket, over evidence held in a list, and the means to call it as any client could. */
import { request } from "node:http";
import { type Control, type ControlOptions, createControl } from "../../src/control/control.ts";
import type { PolicyInForce } from "../../src/control/decisions.ts";
import type { Entry, EntryBody, Observation } from "../../src/evidence/entry.ts";
import { passes } from "../../src/evidence/rows.ts";
import type { EvidenceStore } from "../../src/evidence/store.ts";
import type { Verdict } from "../../src/persona/verdict.ts";
import type { TracePoint } from "../../src/watch/verdict-trace.ts";
import { sampleVerdict } from "./sample-verdict.ts";

export const token = "canary-7f3a-token";
export const pepper = "pepper-of-the-test";

export const observed = (parts: Partial<Observation> = {}): Observation => ({
  kind: "observation",
  experiment: "harmfulness",
  arm: "fresh",
  stratum: "fresh",
  item: "money-3.b",
  topic: "money",
  order: null,
  outcome: "scored",
  value: 0.1,
  harmful: false,
  bucket: null,
  reference: null,
  source: "screen-v1",
  probeSet: "b1c2",
  contentHash: "00ff",
  content: "what the model said",
  ...parts,
});

export const verdictRow = (severity: string): EntryBody => ({
  kind: "verdict",
  persona: "aligned",
  severity,
  digest: "abcd",
  reasons: ["because"],
});

export const rows = (subject: string, ...bodies: EntryBody[]): Omit<Entry, "position">[] =>
  bodies.map((body) => ({ subject, at: 1_790_000_000_000, replica: "local", body }));

type Listed = Pick<EvidenceStore, "latest" | "link">;

/** `latest` as the store's interface describes it. */
const listedStore = (unplaced: Omit<Entry, "position">[]): Listed => {
  const entries = unplaced.map((entry, index): Entry => ({ ...entry, position: index + 1 }));
  return {
    latest: (limit, filter = {}, before = Number.POSITIVE_INFINITY) =>
      entries
        .filter((entry) => entry.position < before && passes(entry, filter))
        .reverse()
        .slice(0, limit),
    link: (position) =>
      position <= entries.length ? { hash: `hash-${position}`, previous: `hash-${position - 1}` } : null,
  };
};

/** What a test can change while the port is up. */
export interface World {
  verdict: Verdict;
  started: boolean;
  listening: boolean;
  draining: boolean;
  writable: boolean;
  /** Whether the ledger throws when it is asked for a change. */
  failing: boolean;
  changes: { kind: string; subject: string; actor: string; text: string }[];
  logged: unknown[];
  monotonic: number;
  paused: boolean;
  scope: "process" | "fleet" | "local";
  trace: TracePoint[];
  policies: PolicyInForce[];
  /** Who is told of new entries. */
  listeners: Set<(subject: string) => void>;
  /** What the port asked its clock for: to be called by the test. */
  timers: { ms: number; run: () => void }[];
}

interface Called {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: unknown;
}

export interface Running {
  world: World;
  port: number;
  control: Control;
  call(path: string, options?: { method?: string; headers?: Record<string, string>; body?: string }): Promise<Called>;
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const run = async (
  entries: Omit<Entry, "position">[] = [],
  options: Partial<ControlOptions> = {},
): Promise<Running> => {
  const world: World = {
    verdict: sampleVerdict(),
    started: true,
    listening: true,
    draining: false,
    writable: true,
    failing: false,
    changes: [],
    logged: [],
    monotonic: 0,
    paused: false,
    scope: "process",
    trace: [],
    policies: [],
    listeners: new Set(),
    timers: [],
  };
  const change = (kind: string, subject: string, actor: string, text: string) => {
    if (world.failing) throw new Error("disk on fire");
    world.changes.push({ kind, subject, actor, text });
    const body: EntryBody = { kind: "acknowledgement", actor, note: text };
    return { subject, at: 1_790_000_000_000, replica: "local", position: 77, body };
  };
  const empty = { n: 0, mean: null };
  const control = createControl({
    subjects: () =>
      ["support", "search"].map((id) => ({
        id,
        models: [`${id}-model`],
        live: { sampleRate: 0.1, maxPerHour: 120 },
        probes: { enabled: id === "support", perHour: 6 },
      })),
    ledger: {
      verdict: () => world.verdict,
      verdictAt: () => 1_790_000_000_000,
      experiments: () => ({
        arms: [],
        experiments: [],
        recognition: { low: empty, moderate: empty, high: empty, asymmetry: null },
        prediction: empty,
      }),
      probesPaused: () => world.paused,
      scope: () => world.scope,
      thresholds: () => ({ ticket: 1e4, page: 1e5, action: 1e6 }),
    },
    changes: {
      acknowledge: (subject, actor, note) => change("acknowledge", subject, actor, note),
      startEpoch: (subject, reason) => change("epoch", subject, "", reason),
      operation(subject, actor, act, note) {
        world.paused = act === "pause-probes";
        return change(world.paused ? "pause" : "resume", subject, actor, note);
      },
    },
    policies: () => world.policies,
    traces: { read: async () => ({ points: world.trace, compared: [] }) },
    onEntry(listener) {
      world.listeners.add(listener);
      return () => world.listeners.delete(listener);
    },
    probes: () => ({
      running: true,
      inFlight: 0,
      spent: { calls: 1, tokens: 300 },
      limits: { calls: 60, tokens: 6000 },
      day: { spent: { calls: 9, tokens: 2700 }, limits: { calls: 600, tokens: 60_000 } },
      backingOff: ["forked"],
      banked: { low: 2, moderate: 0, high: 1 },
      lastAnswerAt: null,
    }),
    store: {
      ...listedStore(entries),
      health: () => ({ writable: world.writable, pending: 3, dropped: 0, lastError: null }),
    },
    metrics: { contentType: "text/plain; version=0.0.4; charset=utf-8", text: async () => "candor_up 1\n" },
    lifecycle: {
      started: () => world.started,
      listening: () => world.listening,
      draining: () => world.draining,
    },
    evidencePolicy: () => "serve",
    token: () => token,
    pepper,
    hostNames: () => ["candor.internal"],
    version: "9.9.9",
    replica: "local",
    clock: {
      monotonic: () => world.monotonic,
      after(ms, run) {
        const timer = { ms, run };
        world.timers.push(timer);
        return () => void world.timers.splice(world.timers.indexOf(timer), 1);
      },
    },
    log: { error: (...args: unknown[]) => world.logged.push(args) },
    ...options,
  });
  const port = await control.listen("127.0.0.1", 0);
  const call: Running["call"] = (path, { method = "GET", headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) });
        });
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  return { world, port, control, call };
};
