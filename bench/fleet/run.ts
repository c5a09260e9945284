/**
 * What a shared log costs as replicas become more: each of them hears of every row. Writes bench/results/fleet.md.
 * `npx node bench/fleet/run.ts [--quick]`: about two minutes; --quick: some seconds, to standard output only.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openSharedStore, type SharedStore } from "../../src/evidence/postgres/shared-store.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { startPostgres } from "../../test/evidence/running-postgres.ts";
import { rowAt } from "../evidence/judged-row.ts";
import { spreadOf } from "../evidence/measuring.ts";

const quick = process.argv.includes("--quick");
const seconds = quick ? 2 : 15;
const sizes = quick ? [2, 8] : [1, 10, 30, 60];
/** Rows a second of the whole fleet. */
const rates = quick ? [50] : [10, 100];

const server = await startPostgres();
await server.stop();
await server.start(["fsync=on", "full_page_writes=on", "max_connections=500"]);

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** User and system time of all processes of the server, seconds: fields 14 and 15 of proc_pid_stat(5). */
const serverSeconds = (): number =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/stat`, "utf8");
      } catch {
        // It ended meanwhile.
        return "";
      }
    })
    .filter((stat) => stat.includes("(postgres) "))
    .reduce((sum, stat) => {
      const fields = stat.split(") ")[1]?.split(" ") ?? [];
      return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    }, 0);

interface Measured {
  replicas: number;
  perSecond: number;
  connections: number;
  /** From `append` until every replica was told, milliseconds. */
  lags: number[];
  /** Of one replica and of the server, share of one processor. */
  replicaShare: number;
  serverShare: number;
}

const measure = async (replicas: number, perSecond: number): Promise<Measured> => {
  const url = await server.newDatabase();
  const folder = mkdtempSync(join(tmpdir(), "candor-fleet-"));
  const stores: SharedStore[] = [];
  for (let index = 0; index < replicas; index += 1) {
    stores.push(
      await openSharedStore({
        ...{ url, name: "candor", path: join(folder, `${index}.db`), replica: `gw-${index}`, clock: systemClock },
        ...{ random: Math.random, log: { info() {}, warn() {} }, maxPendingRows: 10_000, maxSpooledRows: 10_000 },
      }),
    );
  }
  const appended: number[] = [];
  const told: number[] = [];
  const lags: number[] = [];
  for (const store of stores) {
    store.shared.follow(
      0,
      (page) => {
        for (const { entry } of page) {
          const { at } = entry;
          told[at] = (told[at] ?? 0) + 1;
          if (told[at] === replicas) lags.push(performance.now() - (appended[at] ?? 0));
        }
      },
      () => {},
    );
  }
  await sleep(500);
  const cpuBefore = process.cpuUsage();
  const serverBefore = serverSeconds();
  const begun = performance.now();
  for (let row = 0; performance.now() - begun < seconds * 1_000; row += 1) {
    appended[row] = performance.now();
    stores[row % replicas]?.append({ ...rowAt(row), at: row });
    await sleep(Math.max(0, begun + ((row + 1) * 1_000) / perSecond - performance.now()));
  }
  const spent = (performance.now() - begun) / 1_000;
  await sleep(1_000);
  const { user, system } = process.cpuUsage(cpuBefore);
  const serverShare = (serverSeconds() - serverBefore) / spent;
  const [connected] = await server.execute(
    url,
    "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()",
  );
  for (const store of stores) await store.close();
  rmSync(folder, { recursive: true, force: true });
  return {
    ...{ replicas, perSecond, connections: Number(connected?.n) - 1, lags },
    ...{ replicaShare: (user + system) / 1e6 / spent / replicas, serverShare },
  };
};

const rows: string[] = [];
for (const perSecond of rates) {
  for (const replicas of sizes) {
    const { connections, lags, replicaShare, serverShare } = await measure(replicas, perSecond);
    const { median, p99 } = spreadOf(lags);
    const lag = `${median.toFixed(0)} / ${p99.toFixed(0)}`;
    const told = `${lags.length.toLocaleString("en-GB")}`;
    rows.push(
      `| ${perSecond} | ${replicas} | ${connections} | ${told} | ${lag} | ${(100 * replicaShare).toFixed(2)} % | ${(100 * serverShare).toFixed(0)} % |`,
    );
    process.stderr.write(`${rows.at(-1)}\n`);
  }
}
await server.remove();

const report = `# Many replicas on one log

${new Date().toISOString().slice(0, 10)}; Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model ?? "unknown"}; load average at the end ${loadavg()[0]?.toFixed(1)}; clock ticks ${ticksPerSecond} a second.
Command: \`npx node bench/fleet/run.ts${quick ? " --quick" : ""}\`.

So many stores in one process, each with connections and a spool of its own, and PostgreSQL beside them on the same machine with \`fsync\` on. They append judged answers in turn, ${seconds} s long;
each follows the whole log. Lag: from \`append\` in one until all were told. CPU: of one processor.

| rows/s of the fleet | replicas | connections | rows told to all | lag, median / 99 %, ms | CPU of a replica | CPU of the server |
|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
process.stdout.write(report);
if (!quick) writeFileSync("bench/results/fleet.md", report);
