import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { verifyLog } from "../../../src/evidence/postgres/log-reader.ts";
import { noPostgres } from "../running-postgres.ts";
import { type CuttingProxy, startProxy } from "./cutting-proxy.ts";
import { impatient, itemsOf, newLog, serverOfFile, type TestLog } from "./shared-logs.ts";

interface Report {
  item: number;
  /** Milliseconds since the child began. */
  at: number;
}

describe.skipIf(noPostgres !== null)(`a killed replica${noPostgres === null ? "" : `: ${noPostgres}`}`, () => {
  const server = serverOfFile();
  let log: TestLog;
  let proxy: CuttingProxy;
  let running: ChildProcess | null = null;
  beforeEach(async () => {
    log = await newLog(server());
    proxy = await startProxy(log.url);
  });
  afterEach(async () => {
    running?.kill("SIGKILL");
    proxy.close();
    await log.remove();
  });

  const startWriting = async (first: number): Promise<{ kill(): Promise<Report[]> }> => {
    const script = fileURLToPath(new URL("writing-replica.ts", import.meta.url));
    const args = [script, proxy.url, log.spool("child"), String(first)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    running = child;
    let told = "";
    child.stdout.on("data", (bytes: Buffer) => {
      told += bytes.toString();
    });
    const closed = once(child, "close");
    await Promise.race([once(child.stdout, "data"), closed]);
    return {
      async kill() {
        child.kill("SIGKILL");
        const [code, signal] = await closed;
        expect({ code, signal }).toEqual({ code: null, signal: "SIGKILL" });
        // The last line may be cut; each line before it is a row that was appended.
        return told
          .split("\n")
          .slice(0, -1)
          .map((line) => {
            const [item, at] = line.split(" ").map(Number);
            return { item: item ?? 0, at: at ?? 0 };
          });
      },
    };
  };

  test.each<[string, number, (network: CuttingProxy) => void]>([
    ["with the database there", 2, () => {}],
    ["with connections that are cut", 1, (network) => network.cut()],
    ["with a network that says nothing", 1, (network) => network.stall()],
  ])("loses at most 100 rows or 50 ms %s, and none comes twice", async (_, times, harm) => {
    const rounds: Report[][] = [];
    for (let round = 1; round <= times; round += 1) {
      proxy.mend();
      const writer = await startWriting(round * 100_000);
      await pause(150);
      harm(proxy);
      await pause(200 * round);
      rounds.push(await writer.kill());
    }
    // What it left behind is placed by who comes after it with its spool.
    const heir = await log.open("child", impatient);
    await expect.poll(() => heir.health().pending, { timeout: 10_000 }).toBe(0);
    const items = itemsOf(await heir.since(0, 100_000));
    expect(items).toEqual(items.toSorted((one, other) => one - other));
    expect(new Set(items).size).toBe(items.length);
    const kept = new Set(items);
    for (const told of rounds) {
      const missing = told.filter(({ item }) => !kept.has(item));
      // Only the end of what was appended can be missing.
      expect(missing).toEqual(missing.length === 0 ? [] : told.slice(-missing.length));
      const ms = (missing.at(-1)?.at ?? 0) - (missing[0]?.at ?? 0);
      expect(missing.length <= 100 || ms <= 50, `${missing.length} rows of ${ms} ms`).toBe(true);
    }
    expect(items.length).toBeGreaterThan(0);
    expect(await verifyLog(log.url, "candor")).toMatchObject({ kind: "intact", rows: items.length, lost: 0 });
  });
});
