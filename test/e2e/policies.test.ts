/** Policies under a running process: what clients, metrics, the API and the file say of a decision, and what none of them does. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningServer, startOpenAiServer } from "../../src/demo/openai-server.ts";
import { seriesOf } from "../alert/exposition.ts";
import { runCandor, type Serving, serveCandor } from "./running-candor.ts";

const folder = mkdtempSync(join(tmpdir(), "candor-policies-e2e-"));
const file = join(folder, "evidence.db");
const policies = [
  { id: "no-bluebird", stage: "request", match: { terms: ["bluebird"] }, action: "block" },
  { id: "no-redfox", stage: "request", match: { terms: ["redfox"] }, action: "block", mode: "shadow" },
  {
    id: "excused",
    stage: "request",
    action: "allow",
    exempts: ["no-bluebird"],
    where: { headers: { "x-team": "red" } },
  },
  {
    id: "no-mail",
    stage: "response",
    match: { personalData: ["email"] },
    action: "redact",
    except: ["help@example.com"],
  },
  {
    id: "judged",
    stage: "request",
    where: { headers: { "x-ask": "yes" } },
    match: { judge: { question: "Is there anything dangerous in this text?" } },
    action: "block",
    timeoutMs: 300,
  },
].map((policy) => ({ description: "of a test", ...policy }));

let upstream: RunningServer;
let candor: Serving;

beforeAll(async () => {
  upstream = await startOpenAiServer({
    model: "model-x",
    speaker: { say: (messages) => messages.at(-1)?.content ?? "" },
  });
  writeFileSync(join(folder, "policies.yaml"), JSON.stringify({ policies }));
  writeFileSync(
    join(folder, "candor.yaml"),
    JSON.stringify({
      listen: { data: { port: 0 }, control: { port: 0 } },
      upstreams: [{ id: "up", baseUrl: upstream.baseUrl }],
      subjects: [{ id: "chat", models: ["model-x"], probes: { enabled: false }, live: { sampleRate: 0 } }],
      // Nobody listens there.
      classify: { judge: { baseUrl: "http://127.0.0.1:9/v1", model: "judge" } },
      policies: [join(folder, "policies.yaml")],
      evidence: { path: file },
    }),
  );
  candor = await serveCandor(["--config", join(folder, "candor.yaml")]);
}, 60_000);

afterAll(async () => {
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = async (content: unknown, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${candor.dataUrl}/v1/chat/completions`, {
    method: "POST",
    headers,
    body: JSON.stringify({ model: "model-x", messages: [{ role: "user", content }] }),
  });
  return { status: answer.status, text: await answer.text(), header: (name: string) => answer.headers.get(name) };
};

test("clients, metrics, the API and the log say the same of each decision, and none holds what matched", {
  timeout: 60_000,
}, async () => {
  const blocked = await ask("the bluebird of 4711");
  expect([blocked.status, blocked.header("x-candor-policy")]).toEqual([400, "no-bluebird"]);
  const excused = await ask("the bluebird of 4712", { "x-team": "red" });
  expect([excused.status, excused.header("x-candor-decision")]).toEqual([200, "allow"]);
  const shadow = await ask("the redfox of 4713");
  expect([shadow.status, shadow.header("x-candor-decision")]).toEqual([200, "flag"]);
  const redacted = await ask("mail jane@example.com, or help@example.com");
  expect(redacted.text).toContain("mail [redacted], or help@example.com");
  const failed = await ask("anything", { "x-ask": "yes" });
  expect([failed.status, failed.header("x-should-retry")]).toEqual([503, "false"]);
  const picture = await ask([
    { type: "text", text: "see" },
    { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
  ]);
  expect([picture.header("x-candor-coverage"), picture.header("x-candor-gaps")]).toEqual(["partial", "image"]);

  const series = seriesOf(await (await fetch(`${candor.controlUrl}/metrics`)).text());
  const counted = series
    .filter(({ name, value }) => value > 0 && /^candor_guard_(findings|gaps|errors)_total$/.test(name))
    .map(({ labels, value }) => [...Object.values(labels), value].join(" "));
  expect(counted.toSorted()).toEqual(
    [
      "no-bluebird request enforced 1",
      "no-bluebird request bypass 1",
      "no-redfox request would_block 1",
      "no-mail response enforced 1",
      "judged request error 1",
      "request image 1",
      "1",
    ].toSorted(),
  );

  const { decisions } = (await (await fetch(`${candor.controlUrl}/api/decisions`)).json()) as {
    decisions: { id: string; action: string; coverage: string; gaps: string[]; findings: Record<string, unknown>[] }[];
  };
  expect(
    decisions.map(({ action, coverage, gaps, findings: [first] }) => [action, coverage, ...gaps, first?.result]),
  ).toEqual([
    ["allow", "partial", "image", undefined],
    ["block", "full", "error"],
    ["redact", "full", "enforced"],
    ["allow", "full", "would"],
    ["allow", "full", "bypass"],
    ["block", "full", "enforced"],
  ]);
  expect(decisions.at(-1)?.id).toBe(blocked.header("x-candor-decision-id"));
  for (const { findings } of decisions) for (const { version } of findings) expect(version).toMatch(/^[0-9a-f]{16}$/);
  expect(decisions.at(-1)?.findings[0]?.version).toBe(blocked.header("x-candor-policy-version"));

  expect(await candor.end()).toBe(0);
  expect(runCandor(["verify", file])).toMatchObject({ code: 0 });
  const told = [JSON.stringify(decisions), JSON.stringify(series), candor.logged(), readFileSync(file, "latin1")];
  for (const text of told) expect(text).not.toMatch(/471[123]|jane@|the bluebird|the redfox/);
});
