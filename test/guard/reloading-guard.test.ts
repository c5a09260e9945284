/** Policies in real files that change while the guard works. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createGuard } from "../../src/guard/create-guard.ts";
import type { Decision } from "../../src/guard/guard.ts";
import { createReloadingGuard, type ReloadingGuard } from "../../src/guard/reloading-guard.ts";
import { systemClock } from "../../src/kernel/clock.ts";

let folder: string;
let guard: ReloadingGuard | null = null;
let told: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "candor-reload-"));
  told = [];
});
afterEach(() => {
  guard?.close();
  guard = null;
  rmSync(folder, { recursive: true });
});

const policy = (word: string): string =>
  `policies:\n- {id: p, description: d, stage: request, match: {terms: [${word}]}, action: block}\n`;

const open = async (...paths: string[]): Promise<ReloadingGuard> => {
  guard = await createReloadingGuard({
    paths,
    known: { subjects: [], judge: false },
    guardOf: (policies) => createGuard({ policies, personaOf: () => ({ persona: "aligned" }), ask: async () => null }),
    reloaded: (policies) => void told.push(`read ${policies.length}`),
    failed: (error) => void told.push(`failed ${error instanceof Error ? error.message.split("\n").length : ""}`),
    clock: systemClock,
    everyMs: 100,
  });
  return guard;
};

const exchange = { id: "x", subject: "s", route: "chat", requestHeaders: {} };
const decides = (begun: ReturnType<ReloadingGuard["begin"]>, text: string): Decision["action"] => {
  const carrier = { kind: "message", role: "user", choice: null, tool: null, at: ["prompt"], text } as const;
  const decision = begun?.request({ carriers: [carrier], coverage: "full", gaps: [] });
  if (decision === undefined || decision instanceof Promise) throw new Error("it decides at once");
  return decision.action;
};
const until = async (holds: () => boolean): Promise<void> => {
  await expect.poll(holds, { timeout: 8_000, interval: 20 }).toBe(true);
};

describe("a change of the files", () => {
  test.each([
    ["written over", (file: string) => writeFileSync(file, policy("beta"))],
    [
      "replaced by another file",
      (file: string) => {
        writeFileSync(`${file}.new`, policy("beta"));
        renameSync(`${file}.new`, file);
      },
    ],
  ])("%s is in force soon, and an exchange keeps what it began with", async (_name, change) => {
    const file = join(folder, "p.yaml");
    writeFileSync(file, policy("alpha"));
    const reloading = await open(file);
    const before = reloading.begin(exchange);
    change(file);
    await until(() => told.includes("read 1"));
    expect(decides(reloading.begin(exchange), "beta")).toBe("block");
    expect(decides(reloading.begin(exchange), "alpha")).toBe("allow");
    expect([decides(before, "alpha"), decides(before, "beta")]).toEqual(["block", "allow"]);
  });

  test("by the switch of a symbolic link, as Kubernetes mounts ConfigMaps, is in force soon", async () => {
    for (const [name, word] of [
      ["one", "alpha"],
      ["two", "beta"],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "p.yaml"), policy(word));
    }
    mkdirSync(join(folder, "mounted"));
    symlinkSync(join(folder, "one"), join(folder, "mounted", "..data"));
    symlinkSync(join("..data", "p.yaml"), join(folder, "mounted", "p.yaml"));
    const reloading = await open(join(folder, "mounted"));
    expect(decides(reloading.begin(exchange), "alpha")).toBe("block");
    symlinkSync(join(folder, "two"), join(folder, "mounted", "..data_tmp"));
    renameSync(join(folder, "mounted", "..data_tmp"), join(folder, "mounted", "..data"));
    await until(() => told.includes("read 1"));
    expect(decides(reloading.begin(exchange), "beta")).toBe("block");
  });

  test("that can't be used leaves everything as it was, until it can", async () => {
    const file = join(folder, "p.yaml");
    writeFileSync(file, policy("alpha"));
    const reloading = await open(folder);
    writeFileSync(file, "policies: [{id: 7}]");
    await until(() => told.some((one) => one.startsWith("failed")));
    expect(decides(reloading.begin(exchange), "alpha")).toBe("block");
    rmSync(file);
    await until(() => told.filter((one) => one.startsWith("failed")).length === 2);
    expect(decides(reloading.begin(exchange), "alpha")).toBe("block");
    writeFileSync(file, policy("beta"));
    await until(() => told.includes("read 1"));
    expect(decides(reloading.begin(exchange), "beta")).toBe("block");
  });

  test("that changes nothing is none", async () => {
    const file = join(folder, "p.yaml");
    writeFileSync(file, policy("alpha"));
    await open(file);
    writeFileSync(file, policy("alpha"));
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(told).toEqual([]);
  });
});

test("other files can be put in force, and none at all", async () => {
  for (const word of ["alpha", "beta"]) writeFileSync(join(folder, `${word}.yaml`), policy(word));
  const reloading = await open(join(folder, "alpha.yaml"));
  expect(await reloading.use([join(folder, "beta.yaml")])).toBe(true);
  expect(decides(reloading.begin(exchange), "beta")).toBe("block");
  expect(await reloading.use([])).toBe(true);
  expect(reloading.begin(exchange)).toBeNull();
  expect(await reloading.use([join(folder, "nowhere.yaml")])).toBe(false);
  expect(reloading.begin(exchange)).toBeNull();
});

test("nothing is guarded by half: what can't be read at the start is refused", async () => {
  await expect(open(join(folder, "nowhere.yaml"))).rejects.toThrow("can't be read");
});
