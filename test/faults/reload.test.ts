/** The whole configuration changed again and again while apps call: nobody notices, and nothing is left behind. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Script } from "../relay/mock-upstream.ts";
import { quantile, report, sized } from "./measured.ts";
import { configFor, metricIn, newFolder, serveReal, startUpstream } from "./real-candor.ts";

const MB = 1024 * 1024;

/** Whole answers, and streams of some tenths of a second, in which many changes happen. */
const answering =
  (name: string): Script =>
  async (seen, wire) => {
    if (!seen.body.includes('"stream"')) return wire.json(200, { from: name });
    wire.stream();
    for (let event = 0; event < 4; event += 1) {
      wire.event({ from: name, event });
      await sleep(100);
    }
    wire.event("[DONE]");
    wire.response.end();
  };

const ask = async (baseUrl: string, model: string, stream: boolean): Promise<"whole" | string> => {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "hello" }], ...(stream ? { stream } : {}) });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${baseUrl}/chat/completions`, { method: "POST", headers, body });
  const text = await answer.text();
  if (answer.status !== 200) return `status ${answer.status}`;
  if (!stream) return /^\{"from":"\w+"\}$/.test(text) ? "whole" : `answer ${text}`;
  const origins = new Set([...text.matchAll(/"from":"(\w+)"/g)].map(([, from]) => from));
  const events = [...text.matchAll(/"event":/g)].length;
  return events === 4 && origins.size === 1 && text.endsWith("data: [DONE]\n\n") ? "whole" : `stream ${text}`;
};

test("hundreds of changed configurations under load fail no request, and leave nothing behind", {
  timeout: 900_000,
}, async (context) => {
  const folder = newFolder();
  const [one, other] = await Promise.all([startUpstream(), startUpstream()]);
  one.answer(answering("one"));
  other.answer(answering("other"));
  const policies = join(folder, "policies.yaml");
  const policyOf = (word: string): string =>
    `policies:\n- {id: p, description: d, stage: response, match: {terms: [${word}]}, action: redact}\n`;
  writeFileSync(policies, policyOf("zeppelins"));
  const off = { probes: { enabled: false } };
  const always = { id: "support-bot", models: ["gpt-test"], ...off };
  /** Each differs from the one before in what it is about. */
  const changes: ((round: number) => Record<string, unknown>)[] = [
    () => ({ upstreams: [{ id: "main", baseUrl: other.baseUrl }] }),
    (round) => ({ subjects: [always, { id: `new-${round}`, models: ["new"], ...off }] }),
    (round) => ({ classify: { threshold: 0.5 + (round % 40) / 100 } }),
    () => ({ policies: [policies] }),
    (round) => ({ limits: { bodyBytes: 1_000_000 + round }, relay: { passThrough: [`/x${round}`] } }),
    () => ({ subjects: [{ ...always, live: { sampleRate: 1 } }] }),
  ];
  const candor = await serveReal(one.baseUrl, { folder });
  const file = join(folder, "candor.yaml");
  const hash = async (): Promise<string> =>
    /candor_config_info\{hash="(\w+)"\}/.exec(await candor.metrics())?.[1] ?? "none";
  const applied: number[] = [];
  const change = async (round: number): Promise<void> => {
    const before = await hash();
    const more = changes[round % changes.length]?.(round) ?? {};
    const began = performance.now();
    writeFileSync(file, JSON.stringify(configFor(one.baseUrl, folder, more)));
    while ((await hash()) === before) {
      if (performance.now() - began > 20_000) throw new Error(`change ${round} was not taken over`);
      await sleep(10);
    }
    applied.push(performance.now() - began);
  };

  const wrong: string[] = [];
  let asked = 0;
  let over = false;
  const worker = async (number: number): Promise<void> => {
    while (!over) {
      asked += 1;
      const came = await ask(candor.baseUrl, "gpt-test", number % 2 === 0).catch((error: unknown) => String(error));
      if (came !== "whole") wrong.push(came);
    }
  };
  const workers = Array.from({ length: 8 }, (_, number) => worker(number));
  const count = sized(80, 1_000);
  const warm = sized(30, 60);
  const settled = async () => {
    while (metricIn(await candor.metrics(), "candor_config_ending") > 0) await sleep(50);
    return candor.memory();
  };
  for (let round = 0; round < warm; round += 1) await change(round);
  const before = await settled();
  for (let round = warm; round < count; round += 1) await change(round);
  const after = await settled();
  over = true;
  await Promise.all(workers);
  const metrics = await candor.metrics();
  const failures = metricIn(metrics, "candor_config_reloads_total", 'result="failure"');
  const [descriptors, heap] = [after.descriptors - before.descriptors, (after.heapUsed - before.heapUsed) / MB];
  const slowest = Math.max(...applied);
  report(context, {
    row: 17,
    fault: `${count} changes of upstream, subjects, threshold, policies, limits and sampling under 8 callers, half of them of streams`,
    target: `0 failed requests; each in force within 10 s; between change ${warm} and the last: descriptors within 5, heap within 10 MB`,
    seen: `${wrong.length} of ${asked} requests failed; in force after ${quantile(applied, 0.5).toFixed(0)} ms in the middle, ${slowest.toFixed(0)} ms at most; descriptors ${descriptors >= 0 ? "+" : ""}${descriptors}, heap ${heap >= 0 ? "+" : ""}${heap.toFixed(1)} MB`,
    isMet: wrong.length === 0 && failures === 0 && slowest <= 10_000 && Math.abs(descriptors) <= 5 && heap <= 10,
  });
  expect(wrong).toEqual([]);
  expect(failures).toBe(0);
  // Subjects that came and went left no series.
  expect(metrics).not.toContain('subject="new-1"');
  expect(Math.abs(descriptors)).toBeLessThanOrEqual(5);
  expect(heap).toBeLessThanOrEqual(10);
  expect(await candor.end()).toBe(0);
});
