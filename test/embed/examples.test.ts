/** The examples as they are shown in docs/embed.md, run as programs against a simulated model. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RunningServer, startOpenAiServer } from "../../src/demo/openai-server.ts";

const read = (path: string): string => readFileSync(path, "utf8");

test.each(["fetch", "express"])("docs/embed.md shows examples/%s.ts as it is", (name) => {
  const [, ...lines] = read(`examples/${name}.ts`).replace('"../src/library.ts"', '"candor"').trimEnd().split("\n");
  expect(read("docs/embed.md")).toContain(`\`\`\`ts\n${lines.join("\n")}\n\`\`\``);
});

describe("an example", () => {
  let folder: string;
  let model: RunningServer;
  let env: NodeJS.ProcessEnv;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "candor-examples-"));
    model = await startOpenAiServer({ model: "gpt-4o-mini", speaker: { say: () => "A good morning to you." } });
    const file = join(folder, "candor.json");
    writeFileSync(
      file,
      JSON.stringify({
        listen: { control: { port: 0 } },
        upstreams: [{ id: "main", baseUrl: model.baseUrl }],
        subjects: [{ id: "support", models: ["gpt-4o-mini"], probes: { enabled: false } }],
        evidence: { path: join(folder, "candor.db") },
        log: { level: "error" },
      }),
    );
    const settings = { CANDOR_CONFIG: file, OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "sk-test", PORT: "0" };
    env = { ...process.env, ...settings };
  });
  afterEach(async () => {
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("of a client gets its answer and a verdict", async () => {
    const child = spawn(process.execPath, ["examples/fetch.ts"], { env, stdio: ["ignore", "pipe", "inherit"] });
    let told = "";
    child.stdout.on("data", (bytes: Buffer) => {
      told += bytes.toString();
    });
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    expect(told).toMatch(/^A good morning to you\.\nsupport is undetermined: Learning what is normal/);
    const verified = spawnSync(process.execPath, ["src/cli.ts", "verify", join(folder, "candor.db")]);
    expect(verified.status).toBe(0);
  });

  test("of a server relays, shows its dashboard and ends when it is told to", async () => {
    const child = spawn(process.execPath, ["examples/express.ts"], { env, stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(createInterface({ input: child.stdout }), "line");
    const [, baseURL = "", dashboard = ""] = /^(\S+), dashboard (\S+)$/.exec(String(line)) ?? [];
    const client = new OpenAI({ baseURL, apiKey: "sk-test" });
    const messages = [{ role: "user" as const, content: "Good morning!" }];
    const answer = await client.chat.completions.create({ model: "gpt-4o-mini", messages });
    expect(answer.choices[0]?.message.content).toBe("A good morning to you.");
    expect((await fetch(`${dashboard}/readyz`)).status).toBe(200);
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
  });
});
