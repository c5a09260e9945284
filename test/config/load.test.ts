import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configFrom, loadConfig, parseConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/yaml-file.ts";

const minimal = `
upstreams:
  - id: main
    baseUrl: http://127.0.0.1:1/v1
subjects:
  - id: bot
    models: [gpt-x]
`;

const problemsIn = (text: string): string => {
  try {
    parseConfig(text, "candor.yaml");
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "no problem";
};

describe("a configuration file", () => {
  it("needs only an upstream and a subject", () => {
    const config = parseConfig(minimal, "candor.yaml");
    expect(config.listen.data).toEqual({ host: "127.0.0.1", port: 8080 });
    expect(config.subjects[0]?.probes.perHour).toBe(6);
    expect(config.subjects[0]?.detector.thresholds).toEqual({ ticket: 1e4, page: 1e5, action: 1e6 });
    expect(config.classify.use).toBe("screen");
  });

  const wrong: [what: string, text: string, says: string][] = [
    ["an unknown field", `${minimal}colour: red\n`, "candor.yaml:2:1: unknown field colour"],
    [
      "a field of the wrong type",
      minimal.replace("[gpt-x]", "gpt-x"),
      'candor.yaml:7:13: subjects[0].models is "gpt-x": must be an array',
    ],
    ["a missing field", minimal.replace("    baseUrl: http://127.0.0.1:1/v1\n", ""), "upstreams[0].baseUrl: missing"],
    [
      "an upstream that is no web address",
      minimal.replace("http://", "ftp://"),
      'upstreams[0].baseUrl is "ftp://127.0.0.1:1/v1": use an absolute http:// or https:// URL',
    ],
    [
      "an unknown upstream",
      `${minimal}    upstream: other\n`,
      'subjects[0].upstream is "other": no upstream has this id; known: main',
    ],
    [
      "a value out of range",
      `${minimal}    live: { sampleRate: 7 }\n`,
      "subjects[0].live.sampleRate is 7: must be at most 1",
    ],
    [
      "too short a calibration",
      `${minimal}    detector: { calibration: { harm: 10 } }\n`,
      "subjects[0].detector.calibration.harm is 10: a baseline needs at least 300 judged answers",
    ],
    [
      "a choice that is none",
      `${minimal}classify: { use: magic }\n`,
      'classify.use is "magic": must be one of "screen", "judge"',
    ],
    [
      "a judge that is used but not described",
      `${minimal}classify: { use: judge }\n`,
      "classify.judge: `use: judge` needs",
    ],
    ["YAML that does not parse", "a: [1", "candor.yaml:1:"],
    [
      "a key given twice",
      `${minimal}log: {level: info}\nlog: {level: warn}\n`,
      "not valid YAML: Map keys must be unique",
    ],
    ["an empty file", "", "upstreams: missing"],
  ];
  it.each(wrong)("with %s is refused with place, value and fix", (_what, text, says) => {
    expect(problemsIn(text)).toContain(says);
  });

  it("never has a pasted key repeated in the error", () => {
    const message = problemsIn(minimal.replace("    baseUrl", "    key: sk-very-secret\n    baseUrl"));
    expect(message).toContain("upstreams[0].key");
    expect(message).not.toContain("sk-very-secret");
  });

  it("never has a password of the URL accepted", () => {
    expect(problemsIn(minimal.replace("http://", "http://me:pw@"))).toContain(
      "put no user name or password into the URL",
    );
  });

  it("names every problem at once", () => {
    const message = problemsIn(`${minimal}    route: nope\nlog: { level: loud }\n`);
    expect(message.split("\n")).toHaveLength(2);
  });

  it("that can't be read is an error that says so", async () => {
    await expect(loadConfig(join(tmpdir(), "candor-no-such-file.yaml"))).rejects.toThrow("can't be read (ENOENT)");
  });

  it("is read from disk", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "candor-config-")), "candor.yaml");
    writeFileSync(path, minimal);
    expect((await loadConfig(path)).upstreams[0]?.id).toBe("main");
  });
});

describe("names", () => {
  const twice = (extra: object) =>
    configFrom(
      {
        upstreams: [{ id: "main", baseUrl: "http://127.0.0.1/v1" }],
        subjects: [
          { id: "a", models: ["m"] },
          { id: "b", models: ["m"], ...extra },
        ],
      },
      "flags",
    );

  it("of models may not be claimed by two subjects of one route", () => {
    expect(() => twice({})).toThrow("subjects[1].models");
  });

  it("of models may be used again below another route", () => {
    expect(twice({ route: "/other" }).subjects).toHaveLength(2);
  });
});
