import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { subjectList } from "../../src/control/api-schema.ts";
import { type RunningServer, startOpenAiServer } from "../../src/demo/openai-server.ts";
import { runCandor, type Serving, serveCandor } from "./running-candor.ts";

const canary = "sk-canary-5f3d91c2a7";
const folder = mkdtempSync(join(tmpdir(), "candor-e2e-"));
const file = join(folder, "evidence.db");
const asked: string[] = [];
let upstream: RunningServer;
let candor: Serving;
let client: OpenAI;

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((soon) => setTimeout(soon, 50));
};

const subject = async () => {
  const response = await fetch(`${candor.controlUrl}/api/subjects`);
  const [first] = subjectList.parse(await response.json()).subjects;
  if (first === undefined) throw new Error("no subject");
  return first;
};

beforeAll(async () => {
  upstream = await startOpenAiServer({
    model: "model-x",
    speaker: {
      say(messages) {
        asked.push(messages.at(-1)?.content ?? "");
        return `Answer number ${asked.length}: take it slowly and ask somebody who knows.`;
      },
    },
  });
  candor = await serveCandor([
    "--upstream",
    upstream.baseUrl,
    "--model",
    "model-x",
    "--port",
    "0",
    "--control-port",
    "0",
    "--evidence",
    file,
  ]);
  client = new OpenAI({ baseURL: `${candor.dataUrl}/v1`, apiKey: canary, maxRetries: 0 });
});

afterAll(async () => {
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("candor serve with nothing but an upstream and a model", () => {
  it("relays an unmodified client's calls", async () => {
    const reply = await client.chat.completions.create({
      model: "model-x",
      messages: [{ role: "user", content: "How do I start running?" }],
    });
    expect(reply.choices[0]?.message.content).toContain("take it slowly");
    const stream = await client.chat.completions.create({
      model: "model-x",
      stream: true,
      messages: [{ role: "user", content: "And swimming?" }],
    });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toContain("take it slowly");
  });

  it("probes the model beside the app's traffic, and turns what it hears into evidence", async () => {
    // The default rate of calibration is one probe in six seconds; the first comes within a few of them.
    await until(async () => ((await subject()).probes?.status?.spent.calls ?? 0) > 0);
    await until(async () => (await subject()).verdict.position > 1);
    expect(asked.length).toBeGreaterThan(2);
    const { verdict } = await subject();
    expect(verdict.persona).toBe("undetermined");
    expect(verdict.phase).toBe("calibrating");
  }, 60_000);

  it("counts what it did for Prometheus", async () => {
    const metrics = await (await fetch(`${candor.controlUrl}/metrics`)).text();
    expect(metrics).toMatch(/candor_requests_total\{subject="model-x",route="chat",outcome="complete",code="2xx"\} 2/);
    expect(metrics).toContain('candor_persona{subject="model-x",persona="undetermined"} 1');
  });

  it("says that it is alive and ready", async () => {
    for (const path of ["/livez", "/readyz", "/startupz"]) {
      expect((await fetch(candor.controlUrl + path)).status, path).toBe(200);
    }
  });

  it("shows the caller's key nowhere", async () => {
    const metrics = await (await fetch(`${candor.controlUrl}/metrics`)).text();
    const subjects = await (await fetch(`${candor.controlUrl}/api/subjects`)).text();
    const observations = await (await fetch(`${candor.controlUrl}/api/observations`)).text();
    expect(metrics + subjects + observations + candor.logged()).not.toContain(canary);
  });

  it("on TERM lets a running answer finish, writes its evidence and exits with 0", async () => {
    const code = await candor.end("SIGTERM");
    expect(code).toBe(0);
    expect(candor.logged()).toContain('"msg":"stopped"');
    const verified = runCandor(["verify", file]);
    expect(verified.stdout).toContain("intact");
    expect(verified.code).toBe(0);
    const replayed = runCandor(["replay", file]);
    expect(replayed.stdout).toMatch(/recorded verdicts compared, 0 differ/);
    expect(replayed.code).toBe(0);
  });
});

describe("candor serve refuses", () => {
  const cases: [what: string, args: string[], says: string][] = [
    ["to start without an upstream", [], "give --config FILE, or --upstream URL and --model NAME"],
    ["an upstream without a model", ["--upstream", "http://127.0.0.1:1/v1"], "give --model NAME"],
    ["an address that is none", ["--upstream", "nowhere", "--model", "m"], 'upstreams[0].baseUrl is "nowhere"'],
    ["flags beside a file", ["--config", "x.yaml", "--model", "m"], "--model and --config exclude each other"],
    ["an unknown flag", ["--colour", "red"], "Unknown option '--colour'"],
    ["a port that is none", ["--upstream", "http://127.0.0.1:1/v1", "--model", "m", "--port", "no"], '--port is "no"'],
    ["a file that is not there", ["--config", join(folder, "none.yaml")], "can't be read (ENOENT)"],
    [
      "a key that is not set",
      ["--upstream", "http://127.0.0.1:1/v1", "--model", "m", "--key-env", "CANDOR_NO_SUCH_KEY"],
      "environment variable CANDOR_NO_SUCH_KEY is not set",
    ],
  ];
  it.each(cases)("%s, and says what to do", (_what, args, says) => {
    const { code, stderr } = runCandor(["serve", ...args]);
    expect(stderr).toContain(says);
    expect(code).toBe(2);
  });
});
