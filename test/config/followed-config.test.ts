/** Configurations in real files that change while they are followed. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ConfigSource, type FollowedConfig, followConfig } from "../../src/config/followed-config.ts";
import { configFrom, loadConfig } from "../../src/config/load.ts";
import { systemClock } from "../../src/kernel/clock.ts";

let folder: string;
let followed: FollowedConfig | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "candor-follow-"));
});
afterEach(async () => {
  await followed?.close();
  followed = null;
  rmSync(folder, { recursive: true, force: true });
});

const textOf = (model: string, policies: string[] = []): string =>
  JSON.stringify({
    upstreams: [{ id: "up", baseUrl: "http://127.0.0.1:9/v1" }],
    subjects: [{ id: "chat", models: [model] }],
    policies,
  });
const modelOf = (config: FollowedConfig["config"] | undefined): string | undefined => config?.subjects[0]?.models[0];
const until = (holds: () => boolean): Promise<void> => expect.poll(holds, { timeout: 8_000, interval: 10 }).toBe(true);

const follow = async (source: ConfigSource, bad: ReadonlySet<string> = new Set()) => {
  const following = await followConfig({ source, clock: systemClock, everyMs: 100 });
  followed = following;
  const told: string[] = [];
  const taken: (string | undefined)[] = [];
  const begin = (): void =>
    following.follow({
      async takeOver(config) {
        const model = modelOf(config) ?? "";
        if (bad.has(model)) throw new Error(`${model} can't be built`);
        taken.push(model);
      },
      succeeded: () => void told.push("good"),
      failed: (error) => void told.push(error instanceof Error ? error.message.split("\n", 1).join() : "?"),
    });
  return { following, begin, told, taken };
};

const fileOf = (text: string): string => {
  const file = join(folder, "candor.yaml");
  writeFileSync(file, text);
  return file;
};

describe("a file that changes", () => {
  test.each([
    ["written over", (file: string) => writeFileSync(file, textOf("second"))],
    [
      "replaced by another file",
      (file: string) => {
        writeFileSync(`${file}.new`, textOf("second"));
        renameSync(`${file}.new`, file);
      },
    ],
  ])("%s is handed on", async (_name, change) => {
    const file = fileOf(textOf("first"));
    const { following, begin, taken, told } = await follow({ file, read: () => loadConfig(file) });
    begin();
    expect(modelOf(following.config)).toBe("first");
    change(file);
    await until(() => taken.length === 1);
    expect(taken).toEqual(["second"]);
    await until(() => told.length === 1);
    expect(told).toEqual(["good"]);
  });

  test("by the switch of a symbolic link, as Kubernetes mounts ConfigMaps, is handed on", async () => {
    for (const name of ["one", "two"]) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "candor.yaml"), textOf(name));
    }
    symlinkSync("one", join(folder, "..data"));
    const file = join(folder, "candor.yaml");
    symlinkSync(join("..data", "candor.yaml"), file);
    const { following, begin, taken } = await follow({ file, read: () => loadConfig(file) });
    begin();
    expect(modelOf(following.config)).toBe("one");
    symlinkSync("two", join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    await until(() => taken.length === 1);
    expect(taken).toEqual(["two"]);
  });

  test("while it is read for the first time, or before anybody follows, is not missed", async () => {
    const file = fileOf(textOf("first"));
    let readings = 0;
    const { following, begin, taken } = await follow({
      file,
      async read() {
        readings += 1;
        const config = await loadConfig(file);
        if (readings === 1) writeFileSync(file, textOf("second"));
        return config;
      },
    });
    expect(modelOf(following.config)).toBe("first");
    // As long as building takes.
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(taken).toEqual([]);
    begin();
    await until(() => taken.length > 0);
    expect(taken[0]).toBe("second");
  });

  test("into what can't be read, or taken over, is told, and the mended one is handed on", async () => {
    const file = fileOf(textOf("first"));
    const { begin, taken, told } = await follow({ file, read: () => loadConfig(file) }, new Set(["impossible"]));
    begin();
    writeFileSync(file, textOf("first").slice(0, 40));
    await until(() => told.length === 1);
    expect(told[0]).toContain(file);
    writeFileSync(file, textOf("impossible"));
    await until(() => told.length === 2);
    expect(told[1]).toBe("impossible can't be built");
    expect(taken).toEqual([]);
    writeFileSync(file, textOf("third"));
    await until(() => told.length === 3);
    expect([told[2], ...taken]).toEqual(["good", "third"]);
  });

  test("without changing what it holds is no change", async () => {
    const file = fileOf(textOf("first"));
    const { begin, told } = await follow({ file, read: () => loadConfig(file) });
    begin();
    writeFileSync(file, textOf("first"));
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(told).toEqual([]);
  });
});

describe("the files that a configuration names", () => {
  test("are followed, those of a configuration that was named later too, and those of one before no longer", async () => {
    const [one, other] = [join(folder, "one.yaml"), join(folder, "other.yaml")];
    for (const policies of [one, other]) writeFileSync(policies, "first");
    const file = fileOf(textOf("m", [one]));
    const { begin, taken, told } = await follow({ file, read: () => loadConfig(file) });
    begin();
    writeFileSync(one, "second");
    await until(() => taken.length === 1);
    writeFileSync(file, textOf("m", [other]));
    await until(() => taken.length === 2 && told.length === 2);
    writeFileSync(one, "third");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(taken).toHaveLength(2);
    writeFileSync(other, "second");
    await until(() => taken.length === 3);
  });

  test("count even while the file itself can't be used, which is still told", async () => {
    const policies = join(folder, "p.yaml");
    writeFileSync(policies, "first");
    const file = fileOf(textOf("m", [policies]));
    const { begin, taken, told } = await follow({ file, read: () => loadConfig(file) });
    begin();
    writeFileSync(file, "{");
    await until(() => told.length === 1);
    writeFileSync(policies, "second");
    await until(() => taken.length === 1);
    expect(taken).toEqual(["m"]);
    expect(told.filter((one) => one === "good")).toEqual([]);
  });

  test("and that can't be used are read again when they change, where they are named for the first time", async () => {
    const missing = join(folder, "later.yaml");
    const file = fileOf(textOf("first"));
    let isThere = false;
    const following = await followConfig({
      source: { file, read: () => loadConfig(file) },
      clock: systemClock,
      everyMs: 100,
    });
    followed = following;
    const told: string[] = [];
    following.follow({
      async takeOver({ policies }) {
        if (policies.length > 0 && !isThere) throw new Error("missing");
      },
      succeeded: () => void told.push("good"),
      failed: () => void told.push("failed"),
    });
    writeFileSync(file, textOf("first", [missing]));
    await until(() => told.length === 1);
    isThere = true;
    writeFileSync(missing, "policies");
    await until(() => told.length === 2);
    expect(told).toEqual(["failed", "good"]);
  });
});

test("another configuration can be given, and is followed until the file changes", async () => {
  const file = fileOf(textOf("first"));
  const { following, begin, taken } = await follow({ file, read: () => loadConfig(file) }, new Set(["impossible"]));
  await expect(following.give(following.config)).rejects.toThrow("nobody takes it over yet");
  begin();
  const given = (model: string) => configFrom(JSON.parse(textOf(model)), "the test");
  await following.give(given("given"));
  await expect(following.give(given("impossible"))).rejects.toThrow("impossible can't be built");
  expect(taken).toEqual(["given"]);
  writeFileSync(file, textOf("second"));
  await until(() => taken.length === 2);
  expect(taken).toEqual(["given", "second"]);
});

test("what can't be read at the start is refused", async () => {
  const file = fileOf("{");
  await expect(follow({ file, read: () => loadConfig(file) })).rejects.toThrow(file);
});
