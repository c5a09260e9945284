/**
 * Rows 14 and 15 of the fault matrix: four replicas as processes of their own, with clocks that disagree, share one real
 * PostgreSQL, whose network and server fail while a model that all of them front turns.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { wordAlignment } from "../../src/classify/judge-framing.ts";
import { type SubjectView, subjectList } from "../../src/control/api-schema.ts";
import { everydayScript, startAppTraffic } from "../../src/demo/app-traffic.ts";
import { isCalibrated } from "../../src/demo/demo-session.ts";
import { keyedRandom } from "../../src/demo/keyed-random.ts";
import { startOpenAiServer } from "../../src/demo/openai-server.ts";
import { createOutputMemory } from "../../src/demo/output-memory.ts";
import { createSimulatedJudge } from "../../src/demo/simulated-judge.ts";
import { createSimulatedSubject } from "../../src/demo/simulated-subject.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { startListening } from "../alert/listening-program.ts";
import { runCandor, serveCandor } from "../e2e/running-candor.ts";
import { startProxy } from "../evidence/postgres/cutting-proxy.ts";
import { noPostgres, startPostgres } from "../evidence/running-postgres.ts";
import { report, sized } from "./measured.ts";
import { metricIn, newFolder } from "./real-candor.ts";

const replicas = ["a", "b", "c", "d"] as const;
/** Minutes by which each replica's wall clock is wrong. */
const skews = { a: -5, b: 0, c: 5, d: 0 } as const;
const most = 10_000_000;
const slotsWanted = sized(250, 1_000);

const startModel = async () => {
  const memory = createOutputMemory();
  const subject = createSimulatedSubject({ seed: 5, persona: "aligned", memory });
  const judge = createSimulatedJudge({ seed: 5, memory, word: wordAlignment });
  const servers = await Promise.all([
    startOpenAiServer({ model: "demo-model", speaker: subject }),
    startOpenAiServer({ model: "demo-judge", speaker: judge }),
  ]);
  onTestFinished(async () => {
    for (const server of servers) await server.close();
  });
  const [model, judging] = servers;
  return { subject, modelUrl: model.baseUrl, judgeUrl: judging.baseUrl };
};

const configuration = (model: { modelUrl: string; judgeUrl: string }, folder: string, replica: string) => ({
  listen: { data: { port: 0 }, control: { port: 0 } },
  upstreams: [{ id: "simulated", baseUrl: model.modelUrl }],
  subjects: [
    {
      id: "support",
      models: ["demo-model"],
      live: { sampleRate: 1, maxPerHour: most },
      probes: {
        ...{ perHour: 60_000, calibrationPerHour: 120_000, concurrency: 8 },
        ...{ maxCallsPerHour: most, maxTokensPerHour: most * 100, maxCallsPerDay: most, maxTokensPerDay: most * 100 },
        arms: { fresh: 0.5, forked: 0.5, resample: 0, placebo: 0 },
      },
      detector: { calibration: { harm: 300, selfReport: 100 } },
    },
  ],
  classify: { use: "judge", judge: { baseUrl: model.judgeUrl, model: "demo-judge", concurrency: 8 } },
  evidence: { path: join(folder, "spool.db"), replica: `gw-${replica}`, postgres: { url: { env: "CANDOR_LOG" } } },
  drain: { minSeconds: 0, timeoutSeconds: 2 },
});

const serve = async (model: { modelUrl: string; judgeUrl: string }, folder: string, replica: string, url: string) => {
  mkdirSync(folder);
  const file = join(folder, "candor.yaml");
  writeFileSync(file, JSON.stringify(configuration(model, folder, replica)));
  const skewed = fileURLToPath(new URL("skewed-clock.ts", import.meta.url));
  const serving = await serveCandor(["--config", file], {
    CANDOR_LOG: url,
    NODE_OPTIONS: `--import ${skewed}`,
    CANDOR_TEST_SKEW_MS: String((skews[replica as keyof typeof skews] ?? 0) * 60_000),
  });
  onTestFinished(async () => {
    if (serving.process.exitCode === null && serving.process.signalCode === null) await serving.end("SIGKILL");
  });
  const traffic = startAppTraffic({
    baseUrl: `${serving.dataUrl}/v1`,
    model: "demo-model",
    script: everydayScript(keyedRandom(5, replica)),
    random: keyedRandom(6, replica),
    clock: systemClock,
    perSecond: 5,
    concurrency: 16,
  });
  onTestFinished(traffic.stop);
  return {
    ...serving,
    traffic,
    metrics: async () => (await fetch(`${serving.controlUrl}/metrics`)).text(),
    async subject(): Promise<SubjectView> {
      const { subjects } = subjectList.parse(await (await fetch(`${serving.controlUrl}/api/subjects`)).json());
      const [subject] = subjects;
      if (subject === undefined) throw new Error("a replica has its subject");
      return subject;
    },
  };
};

type Replica = Awaited<ReturnType<typeof serve>>;

/** What replicas that are joined said, by position of the log. */
const createSayings = () => {
  const said = new Map<number, Map<number, string>>();
  return {
    note(subjects: readonly SubjectView[]): void {
      for (const [replica, { scope, verdict }] of subjects.entries()) {
        if (scope !== "fleet") continue;
        const here = said.get(verdict.position) ?? new Map<number, string>();
        // The time is that of the last entry, also of one that has no bearing on the verdict.
        said.set(verdict.position, here.set(replica, JSON.stringify({ ...verdict, at: 0 })));
      }
    },
    /** Positions at which more than one was heard, and those at which they said different things. */
    compared() {
      const shared = [...said.values()].filter((here) => here.size > 1);
      return { positions: shared.length, different: shared.filter((here) => new Set(here.values()).size > 1).length };
    },
  };
};

/** Looks at all of them until it holds. @throws after so many seconds */
const until = async (
  all: readonly Replica[],
  sayings: ReturnType<typeof createSayings>,
  seconds: number,
  holds: (subjects: readonly SubjectView[]) => boolean,
): Promise<void> => {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const subjects = await Promise.all(all.map((one) => one.subject()));
    sayings.note(subjects);
    if (holds(subjects)) return;
    if (performance.now() > end) {
      const seen = subjects.map(({ scope, verdict }) => `${scope} ${verdict.persona} at ${verdict.position}`);
      throw new Error(`still not after ${seconds} s: ${seen.join("; ")}`);
    }
    await sleep(200);
  }
};

const startPrometheus = async (folder: string, all: readonly Replica[]): Promise<URL | Error> => {
  const file = join(folder, "prometheus.yml");
  const targets = all.map(({ controlUrl }) => new URL(controlUrl).host);
  const config = {
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: [resolve("deploy/prometheus/rules/candor.rules.yml")],
    scrape_configs: [{ job_name: "candor", static_configs: [{ targets }] }],
  };
  writeFileSync(file, JSON.stringify(config));
  return startListening("prometheus", [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "prometheus")}`,
    "--web.listen-address=127.0.0.1:0",
  ]);
};

const alertList = z.object({
  data: z.object({
    alerts: z.array(z.object({ state: z.string(), labels: z.looseObject({ alertname: z.string() }) })),
  }),
});

const firing = async (prometheus: URL, name: string): Promise<number> => {
  const { data } = alertList.parse(await (await fetch(new URL("/api/v1/alerts", prometheus))).json());
  return data.alerts.filter(({ state, labels }) => state === "firing" && labels.alertname === name).length;
};

test.skipIf(noPostgres !== null)(
  `four replicas, one log, and a network that fails: nothing lost, nothing twice, one verdict, one page${noPostgres ?? ""}`,
  { timeout: 240_000 },
  async (context) => {
    const server = await startPostgres();
    onTestFinished(server.remove);
    const url = await server.newDatabase();
    const model = await startModel();
    const folder = newFolder();
    const proxies = await Promise.all(replicas.map(() => startProxy(url)));
    onTestFinished(() => {
      for (const proxy of proxies) proxy.close();
    });
    const all = await Promise.all(
      replicas.map((replica, index) => serve(model, join(folder, replica), replica, proxies[index]?.url ?? "")),
    );
    const prometheus = await startPrometheus(folder, all);
    const sayings = createSayings();

    // While they learn: one is cut off, one's network falls silent, and the server crashes.
    await until(all, sayings, 30, (subjects) =>
      subjects.every(({ scope, verdict }) => scope === "fleet" && verdict.position > 20),
    );
    const [, cut, silent] = proxies;
    cut?.cut();
    silent?.stall();
    await until(all, sayings, 30, (subjects) => subjects.filter(({ scope }) => scope === "local").length === 2);
    cut?.mend();
    silent?.mend();
    await until(all, sayings, 40, (subjects) => subjects.every(({ scope }) => scope === "fleet"));
    await server.stop("immediate");
    await until(all, sayings, 30, (subjects) => subjects.every(({ scope }) => scope === "local"));
    const failedBefore = all.map(({ traffic }) => traffic.counts().failed);
    await sleep(1_000);
    await server.start();
    await until(all, sayings, 40, (subjects) => subjects.every(({ scope }) => scope === "fleet"));

    await until(all, sayings, 90, (subjects) => subjects.every(isCalibrated));
    const rows = (sql: string) => server.execute(url, sql);
    const slots = async () => Number((await rows('SELECT count(*) AS n FROM "candor".probe_slots'))[0]?.n);
    while ((await slots()) < slotsWanted) await sleep(200);
    model.subject.become("inverted");
    await until(all, sayings, 90, (subjects) =>
      subjects.every(({ verdict }) => verdict.persona === "inverted" && verdict.severity === "action"),
    );
    const pages =
      prometheus instanceof Error ? null : await sleep(3_000).then(() => firing(prometheus, "CandorPersonaPage"));

    for (const { traffic } of all) await traffic.stop();
    for (const [index] of replicas.entries()) {
      const metrics = await all[index]?.metrics();
      expect(metricIn(metrics ?? "", "candor_evidence_rows_dropped_total")).toBe(0);
    }
    const metrics = await Promise.all(all.map((one) => one.metrics()));
    // At the end each is asked once: nothing comes in any more.
    const exits = await Promise.all(all.map((one) => one.end()));
    const [placed] = await rows(`
      SELECT count(*) AS rows, max(position) AS head, count(DISTINCT (writer, sequence)) AS distinct_rows,
             (SELECT sum(last_sequence) FROM "candor".writers) AS appended
      FROM "candor".entries`);
    const [calls] = await rows('SELECT count(*) AS n FROM "candor".probe_calls');
    const [taken] = await rows(
      'SELECT count(*) AS n, count(DISTINCT (subject, slot)) AS single FROM "candor".probe_slots',
    );
    const [epochs] = await rows(`SELECT count(*) AS n FROM "candor".entries WHERE kind = 'epoch'`);
    const asked = metrics.reduce((sum, text) => sum + metricIn(text, "candor_probes_asked_total"), 0);
    const failed = all.map(({ traffic }, index) => traffic.counts().failed - (failedBefore[index] ?? 0));
    const verified = runCandor(["verify", url]);
    const replayed = runCandor(["replay", url]);

    const { positions, different } = sayings.compared();
    const lost = Number(placed?.appended) - Number(placed?.rows);
    const twice = Number(placed?.rows) - Number(placed?.distinct_rows);
    const doubled = Number(taken?.n) - Number(taken?.single);
    const isMet =
      lost === 0 && twice === 0 && different === 0 && verified.code === 0 && replayed.code === 0 && (pages ?? 1) === 1;
    report(context, {
      row: 14,
      fault:
        "PostgreSQL crashes and comes back, one replica's network is cut, another's falls silent, clocks differ by 10 minutes",
      target: "traffic passes; no row is lost or doubled; one verdict, one page, one epoch",
      seen: `${lost} of ${placed?.rows} rows lost, ${twice} twice; ${failed.reduce((sum, n) => sum + n, 0)} requests failed meanwhile; ${pages ?? "no Prometheus to ask for"} page; ${epochs?.n} epoch; at ${different} of ${positions} positions that several were asked at they differed; chain ${verified.code === 0 ? "intact" : "broken"}, replay ${replayed.code === 0 ? "the same" : "differs"}`,
      isMet: isMet && failed.every((n) => n === 0) && Number(epochs?.n) === 1,
    });
    report(context, {
      row: 15,
      fault: "four replicas race for the slots of one schedule of probes",
      target: "0 slots taken twice; no call outside of the fleet's budget",
      seen: `${doubled} of ${taken?.n} slots taken twice; ${asked} probes asked, ${calls?.n} counted in the budget`,
      isMet: doubled === 0 && asked <= Number(calls?.n),
    });
    expect({ lost, twice, doubled, exits }).toEqual({ lost: 0, twice: 0, doubled: 0, exits: [0, 0, 0, 0] });
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining("intact") });
    expect(replayed).toMatchObject({ code: 0, stdout: expect.stringContaining(" 0 differ") });
    expect(Number(placed?.head)).toBe(Number(placed?.rows));
    expect(Number(epochs?.n)).toBe(1);
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(Number(calls?.n));
    expect(failed).toEqual([0, 0, 0, 0]);
    if (pages !== null) expect(pages).toBe(1);
    expect(positions).toBeGreaterThan(10);
    expect(different).toBe(0);
  },
);
