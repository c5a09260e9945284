/** Row 16 of the fault matrix: the wall clock jumps while everything runs. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { verifyFile } from "../../src/evidence/verify.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { createLog } from "../../src/kernel/log.ts";
import { start } from "../../src/main.ts";
import { report } from "./measured.ts";
import { configFor, newFolder, startUpstream } from "./real-candor.ts";

const hourMs = 3_600_000;
const windowMs = 1_500;
const perSecond = 10;

test("a wall clock that jumps by an hour starts no storm of probes and makes no time negative", async (context) => {
  const upstream = await startUpstream();
  const message = { role: "assistant", content: "A" };
  upstream.answer((_seen, wire) =>
    wire.json(200, {
      choices: [{ index: 0, message, finish_reason: "stop" }],
      usage: { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 },
    }),
  );
  const most = 10_000_000;
  const config = configFrom(
    configFor(upstream.baseUrl, newFolder(), {
      upstreams: [{ id: "main", baseUrl: upstream.baseUrl, key: { env: "KEY" } }],
      subjects: [
        {
          id: "support-bot",
          models: ["gpt-test"],
          probes: {
            perHour: perSecond * 3_600,
            calibrationPerHour: perSecond * 3_600,
            onlyWithTraffic: false,
            maxCallsPerHour: most,
            maxTokensPerHour: most,
            maxCallsPerDay: most,
            maxTokensPerDay: most,
          },
        },
      ],
    }),
    "test",
  );
  let offset = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + offset };
  const candor = await start(config, { env: { KEY: "sk-test" }, log: createLog("silent"), clock });
  const counts: number[] = [];
  for (const jump of [0, hourMs, -2 * hourMs, hourMs]) {
    offset += jump;
    const before = upstream.seen.length;
    await sleep(windowMs);
    counts.push(upstream.seen.length - before);
  }
  const metrics = await (await fetch(`${candor.controlUrl}/metrics`)).text();
  await candor.stop();
  const negative = metrics
    .split("\n")
    .filter(
      (line) => /seconds|_ms/.test(line) && !line.startsWith("#") && Number(line.slice(line.lastIndexOf(" ") + 1)) < 0,
    );
  const verified = verifyFile(config.evidence.path);
  const expected = (perSecond * windowMs) / 1_000;
  // Times between probes are random: beyond four deviations it is a storm.
  const bound = Math.ceil(expected + 4 * Math.sqrt(expected)) + 1;
  report(context, {
    row: 16,
    fault: "the wall clock jumps by an hour forwards, two back and one forwards",
    target: `no storm of probes (about ${expected} are due in each span of ${windowMs / 1_000} s), no negative durations`,
    seen: `${counts[0]} probes before, ${counts.slice(1).join(", ")} after the jumps; ${negative.length} negative durations; chain ${verified.kind}`,
    isMet: Math.max(...counts) <= bound && negative.length === 0 && verified.kind === "intact",
  });
  expect(Math.min(...counts)).toBeGreaterThan(0);
  expect(Math.max(...counts)).toBeLessThanOrEqual(bound);
  expect(negative).toEqual([]);
  expect(verified.kind).toBe("intact");
});
