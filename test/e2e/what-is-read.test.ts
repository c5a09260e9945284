/** What a configuration has no use for is not read: it would take memory beside every app. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { configFor, newFolder } from "../faults/real-candor.ts";
import { serveCandor } from "./running-candor.ts";

const modules = z.object({ msg: z.literal("modules"), read: z.array(z.string()) });
const listing = fileURLToPath(new URL("modules-on-exit.js", import.meta.url));

/** Packages and folders that a process reads from its start to its end. */
const readBy = async (changes: Record<string, unknown>): Promise<string[]> => {
  const folder = newFolder();
  const file = join(folder, "candor.yaml");
  writeFileSync(file, JSON.stringify(configFor("http://127.0.0.1:9/v1", folder, changes)));
  const serving = await serveCandor(["--config", file], { NODE_OPTIONS: `--import ${listing}` });
  expect(await serving.end()).toBe(0);
  const line = serving
    .logged()
    .split("\n")
    .find((one) => one.includes('"msg":"modules"'));
  return modules.parse(JSON.parse(line ?? "null")).read;
};

const optional = ["openai", "pg", "libphonenumber-js", "@opentelemetry/otlp-transformer", "src/demo", "src/audit"];

test("a process that needs no server but the model's reads the client of none", async () => {
  const read = await readBy({});
  expect(read).toContain("undici");
  expect(read.filter((name) => optional.includes(name))).toEqual([]);
});

test("a judge, telemetry and a policy about phone numbers bring what they need, and no more", async () => {
  const policies = join(newFolder(), "policies.yaml");
  writeFileSync(
    policies,
    "policies: [{ id: phones, description: numbers, stage: response, match: { personalData: [phone] }, action: redact }]",
  );
  const baseUrl = "http://127.0.0.1:9/v1";
  const read = await readBy({
    policies: [policies],
    classify: { use: "judge", judge: { baseUrl, model: "judge" } },
    telemetry: { otlp: { endpoint: "http://127.0.0.1:9" } },
  });
  const wanted = ["openai", "libphonenumber-js", "@opentelemetry/otlp-transformer"];
  expect(read.filter((name) => optional.includes(name)).sort()).toEqual(wanted.sort());
});
