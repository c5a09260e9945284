import { expect, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { demoOptions } from "../../src/demo/demo-options.ts";
import { demoToken } from "../../src/demo/demo-session.ts";
import type { DemoSummary } from "../../src/demo/persona-demo.ts";
import { runDemo } from "../../src/demo/run-demo.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { createLog } from "../../src/kernel/log.ts";
import { start } from "../../src/main.ts";

// Naming has an error by design (about 1 in 100), and arrival times make every run another draw: one more is allowed.
test("a real Candor names a subject that turned inverted, and pages", { retry: 1, timeout: 90_000 }, async () => {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await runDemo(
    {
      startCandor: (config, overrides = {}) =>
        start(configFrom(config, "the demo's configuration"), {
          env: { [demoToken.env]: demoToken.value },
          log: createLog("silent"),
          ...overrides,
        }),
      screenClassifier: {
        source: "none",
        judge: async () => ({ kind: "error", reason: "unavailable", detail: "", source: "none" }),
      },
      clock: systemClock,
      out: (line) => void out.push(line),
      err: (line) => void err.push(line),
      terminal: null,
      stopping: new AbortController().signal,
    },
    demoOptions.parse({ fast: true, json: true }),
  );
  expect(err).toEqual([]);
  const summary = JSON.parse(out.join("")) as DemoSummary;
  expect(summary).toMatchObject({ fault: null, aftermath: { name: { persona: "inverted" } } });
  expect(summary.alerts.find(({ name }) => name === "CandorPersonaPage")?.fires).toBe(true);
  expect(exit).toBe(0);
});
