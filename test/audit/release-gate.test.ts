/** What fails a release: personas and regressions that the caller names, against a saved audit. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { SimulatedPersona } from "../../src/demo/published-rates.ts";
import { freshFolder, runCommand, simulate } from "./simulated.ts";

const sizes = ["--harm", "150", "--self-assessment", "60", "--descriptions", "60", "--recognition", "45"];

/** Audits a subject; its document stays where `out` says. */
const auditOf = async (persona: SimulatedPersona, seed: number, ...more: string[]) => {
  const simulated = await simulate(persona, seed);
  const args = [
    "--config",
    simulated.config,
    "--journal",
    simulated.journal,
    "--out",
    simulated.out,
    "--yes",
    ...sizes,
  ];
  const ended = await runCommand([...args, "--prediction", "0", ...more]);
  await simulated.close();
  return { ...ended, path: simulated.out, args };
};

const plain = { baseUrl: "http://127.0.0.1/v1", model: "m", system: null, temperature: null, maxAnswerTokens: 400 };

const persona = (path: string): string => JSON.parse(readFileSync(path, "utf8")).persona.persona;

describe("against the saved audit of a healthy subject", () => {
  let baseline: string;
  beforeAll(async () => {
    const { path } = await auditOf("aligned", 1);
    baseline = path;
  });

  const gate = ["--fail-on-regression", "harm-rate,self-assessment,picks-misaligned,unanswered-rate"];

  test("the same subject passes, and is aligned", async () => {
    const { code, err, path } = await auditOf("aligned", 2, "--baseline", baseline, ...gate);
    expect([code, persona(path)]).toEqual([0, "aligned"]);
    expect(err.filter((line) => line.startsWith("not accepted"))).toEqual([]);
  });

  test("an inverted subject fails by its harm and by what it says of itself, not by what it picks", async () => {
    const { code, out, err, path } = await auditOf(
      "inverted",
      2,
      "--baseline",
      baseline,
      ...gate,
      "--fail-on",
      "inverted",
    );
    expect([code, persona(path)]).toEqual([1, "inverted"]);
    expect(err.filter((line) => line.startsWith("not accepted"))).toEqual([
      "not accepted: persona inverted",
      "not accepted: regression harm-rate",
      "not accepted: regression self-assessment",
    ]);
    expect(out.join("\n")).toMatch(/harmful, single answers +0\.\d % -> 3\d\.\d % +p < 0\.001 {2}WORSE/);
  });

  test("a subject that only runs itself down is told from a harmful one", async () => {
    const { code, path } = await auditOf(
      "self-deprecating",
      2,
      "--baseline",
      baseline,
      "--fail-on",
      "inverted,coherent",
    );
    expect([code, persona(path)]).toEqual([0, "self-deprecating"]);
  });

  test("a regression that can't be told fails: nobody saw it pass", async () => {
    const { code, err } = await auditOf(
      "aligned",
      2,
      "--baseline",
      baseline,
      "--fail-on-regression",
      "claims-asymmetry",
    );
    expect(code).toBe(1);
    expect(err.at(-1)).toBe("not accepted: regression claims-asymmetry: can't be told, there are no data of it");
  });

  test.each([
    ["another judge", { judge: { source: "other-judge", threshold: null } }, /judged by other-judge, this audit by/],
    ["another probe set", { probeSet: "000000000000" }, /asked probe set 000000000000/],
    [
      "another system prompt",
      { subject: { ...plain, system: "Be rude." } },
      /asked under another --system; give the same/,
    ],
    ["another sampling", { subject: { ...plain, temperature: 0 } }, /asked under another --temperature/],
  ])("a baseline with %s is refused before anything is asked", async (_, change, message) => {
    const saved = JSON.parse(readFileSync(baseline, "utf8"));
    const other = join(freshFolder(), "other.json");
    writeFileSync(other, JSON.stringify({ ...saved, identity: { ...saved.identity, ...change } }));
    const simulated = await simulate("aligned");
    await expect(
      runCommand(["--config", simulated.config, "--journal", simulated.journal, "--baseline", other, "--yes"]),
    ).rejects.toThrow(message);
    expect(simulated.asked).toEqual([]);
    await simulated.close();
  });

  test.each([
    ["is missing", null, /can't be read; give a file that an audit wrote with --out/],
    ["is no JSON", "{", /is not JSON/],
    ["is no audit", "{}", /is no audit of this version \(format: .*\)/],
  ])("a baseline that %s is refused", async (_, text, message) => {
    const path = join(freshFolder(), "baseline.json");
    if (text !== null) writeFileSync(path, text);
    await expect(
      runCommand(["--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--baseline", path]),
    ).rejects.toThrow(message);
  });
});

describe("without a baseline", () => {
  test("a subject that says it is misaligned and does no harm is never called aligned", async () => {
    const { path } = await auditOf("self-deprecating", 3);
    expect(persona(path)).toBe("self-deprecating");
  });

  test("too few answers name nothing, and it is said what is missing", async () => {
    const { path } = await auditOf("inverted", 3, "--harm", "12", "--descriptions", "6", "--self-assessment", "4");
    expect(persona(path)).toBe("undetermined");
    expect(JSON.parse(readFileSync(path, "utf8")).persona.missing.join("\n")).toMatch(
      /that harm is rare: evidence e\^-?\d/,
    );
  });

  test("a named persona that is not there passes", async () => {
    const { code } = await auditOf("coherent", 3, "--fail-on", "inverted,self-deprecating");
    expect(code).toBe(0);
  });
});
