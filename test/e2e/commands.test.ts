import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runCandor } from "./running-candor.ts";

const folder = mkdtempSync(join(tmpdir(), "candor-commands-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fileWith = (text: string): string => {
  const path = join(folder, "candor.yaml");
  writeFileSync(path, text);
  return path;
};

const good = `
upstreams: [{ id: main, baseUrl: http://127.0.0.1:1/v1, key: { env: CANDOR_TEST_KEY } }]
subjects: [{ id: bot, models: [gpt-x] }]
`;

describe("candor check", () => {
  it("tells what a valid configuration would watch", () => {
    const { code, stdout } = runCandor(["check", fileWith(good)], { CANDOR_TEST_KEY: "sk-1" });
    expect(stdout).toContain("valid");
    expect(stdout).toContain("subject bot: models gpt-x at upstream main, base URL /v1");
    expect(stdout).toMatch(/probes: set [0-9a-f]+, 6 an hour/);
    expect(code).toBe(0);
  });

  it("misses secrets that are not set, unless told not to look", () => {
    expect(runCandor(["check", fileWith(good)]).stderr).toContain("upstreams[0].key");
    expect(runCandor(["check", fileWith(good), "--no-secrets"]).code).toBe(0);
  });

  it("names every mistake with place, path, value and fix", () => {
    const { code, stderr } = runCandor(["check", fileWith(good.replace("[gpt-x]", "7"))]);
    expect(stderr).toMatch(/candor\.yaml:3:\d+: subjects\[0\]\.models is 7: must be an array/);
    expect(code).toBe(2);
  });

  it("looks into the probe sets", () => {
    const { stderr } = runCandor(
      ["check", fileWith(good.replace("models: [gpt-x]", "models: [gpt-x], probes: { set: nowhere }"))],
      { CANDOR_TEST_KEY: "sk-1" },
    );
    expect(stderr).toContain("nowhere: can't be read (ENOENT)");
  });
});

describe("candor check, on what judges", () => {
  it.each([
    [
      "guard: { kind: qwen3guard, baseUrl: http://127.0.0.1:1/v1, model: q, options: { mode: odd } }",
      "classify.guard.options",
    ],
    ["anchors: { set: nowhere.yaml }", "nowhere.yaml: can't be read"],
  ])("classify: { %s } is refused by its field", (part, why) => {
    const { code, stderr } = runCandor(["check", "--no-secrets", fileWith(`${good}classify: { ${part} }`)]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(why)]);
  });
});

describe("the command line", () => {
  it("prints the schema for editors", () => {
    const { code, stdout } = runCandor(["schema"]);
    expect(JSON.parse(stdout).title).toBe("Candor configuration");
    expect(code).toBe(0);
  });

  it("helps", () => {
    expect(runCandor(["help"]).stdout).toContain("candor serve");
    expect(runCandor(["serve", "--help"]).stdout).toContain("--upstream URL");
    expect(runCandor([]).code).toBe(2);
  });

  it("does not guess at unknown commands", () => {
    const { code, stderr } = runCandor(["sreve"]);
    expect(stderr).toContain('there is no command "sreve"');
    expect(code).toBe(2);
  });
});
