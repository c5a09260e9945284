import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { verifyFile } from "../../src/evidence/verify.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { newFolder, openStore, rowOf } from "./evidence-files.ts";

let folder: ReturnType<typeof newFolder>;
let path: string;
let running: ChildProcess | null = null;
beforeEach(() => {
  folder = newFolder();
  path = folder.path("log.db");
});
afterEach(() => {
  running?.kill("SIGKILL");
  folder.remove();
});

interface Report {
  position: number;
  /** Milliseconds since the child began. */
  at: number;
}

const startWriting = async (seed: number): Promise<{ kill(): Promise<Report[]> }> => {
  const script = fileURLToPath(new URL("writing-child.ts", import.meta.url));
  const child = spawn(process.execPath, [script, path, String(seed)], { stdio: ["ignore", "pipe", "inherit"] });
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
          const [position, at] = line.split(" ").map(Number);
          return { position: position ?? 0, at: at ?? 0 };
        });
    },
  };
};

test("a killed writer loses at most 100 rows or 50 ms, leaves a whole chain, and frees the file at once", async () => {
  const random = seededRandom(12);
  let head = 0;
  for (let round = 1; round <= 5; round += 1) {
    const writer = await startWriting(round);
    expect(() => openStore(path)).toThrow("is being written by another process");
    await pause(50 + random() * 300);
    const appended = await writer.kill();
    expect(appended.map(({ position }) => position)).toEqual(appended.map((_, index) => head + 1 + index));

    const verified = verifyFile(path);
    if (verified.kind !== "intact") throw new Error(verified.problem);
    expect(verified).toMatchObject({ lost: 0, rows: verified.head.position });
    head = verified.head.position;
    const lost = appended.filter(({ position }) => position > head);
    const lostMs = (lost.at(-1)?.at ?? 0) - (lost[0]?.at ?? 0);
    expect(lost.length <= 100 || lostMs <= 50, `round ${round}: ${lost.length} rows of ${lostMs} ms`).toBe(true);
  }
  expect(head).toBeGreaterThan(0);
  const store = openStore(path);
  expect(store.append(rowOf(1)).position).toBe(head + 1);
  await store.close();
  expect(verifyFile(path)).toMatchObject({ kind: "intact", rows: head + 1 });
});
