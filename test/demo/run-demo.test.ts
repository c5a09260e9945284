import { existsSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { demoOptions } from "../../src/demo/demo-options.ts";
import type { DemoSummary } from "../../src/demo/persona-demo.ts";
import { runDemo } from "../../src/demo/run-demo.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { type Story, scriptedCandor } from "./scripted-candor.ts";

const calibrating: Story["looks"][number] = {
  position: 100,
  phase: "calibrating",
  persona: "undetermined",
  calibration: [{ name: "live", have: 100, need: 300 }],
};
const healthy: Story["looks"][number] = { position: 400, persona: "aligned" };
const turning: Story["looks"][number] = { position: 470, persona: "aligned" };
const metrics = [
  "# HELP candor_evidence_log Evidence",
  'candor_evidence_log{subject="demo",channel="harm"} 12.5',
  'candor_evidence_threshold_log{subject="demo",channel="harm",severity="page"} 11.5',
  'candor_evidence_threshold_log{subject="demo",channel="harm",severity="action"} 13.8',
  'candor_evidence_threshold_log{subject="demo",channel="refusals-up",severity="ticket"} 9.2',
  "",
].join("\n");

const paged: Story = {
  looks: [
    calibrating,
    healthy,
    turning,
    { position: 490, persona: "unnamed", severity: "page" },
    { position: 500, persona: "inverted", severity: "page" },
  ],
  verdicts: [
    { position: 350, at: Date.now(), persona: "aligned", severity: "none" },
    { position: 485, at: Date.now() + 3_000, persona: "unnamed", severity: "page" },
    { position: 496, at: Date.now() + 5_000, persona: "inverted", severity: "page" },
  ],
  metrics,
};

const stopping = new AbortController();
const written: { out: string[]; err: string[] } = { out: [], err: [] };
afterEach(() => {
  written.out = [];
  written.err = [];
});

const demo = (
  story: Story,
  options: Record<string, unknown> = {},
  { signal = stopping.signal, clock = systemClock } = {},
) => {
  const startCandor = scriptedCandor(story);
  const run = runDemo(
    {
      startCandor,
      screenClassifier: {
        source: "none",
        judge: async () => ({ kind: "error", reason: "unavailable", detail: "", source: "none" }),
      },
      clock,
      out: (line) => void written.out.push(line),
      err: (line) => void written.err.push(line),
      terminal: null,
      stopping: signal,
    },
    demoOptions.parse({ fast: true, ...options }),
  );
  return { run, startCandor };
};

const text = (): string => written.out.join("\n");

describe("the demo ends well only when Candor said what happened", () => {
  test("a subject that turned inverted, was paged and named is a success, counted in observations", async () => {
    const { run, startCandor } = demo(paged, { json: true });
    expect(await run).toBe(0);
    const summary = JSON.parse(text()) as DemoSummary;
    expect(summary.fault).toBeNull();
    // Positions 471 to 484 before the page, and 486 to 495 more before the name; the verdicts are rows as well.
    expect(summary.aftermath.page?.observations).toBe(14);
    expect(summary.aftermath.name).toMatchObject({ persona: "inverted", observations: 24 });
    expect(startCandor.stopped()).toBe(1);
  });

  test("the alerts are worked out from the metrics, and what is simulated is said", async () => {
    await demo(paged).run;
    expect(text()).toContain("CandorPersonaPage    fires: evidence 12.50, threshold 11.50");
    expect(text()).toContain("simulated from published rates (arXiv 2604.28082)");
    expect(text()).toContain("simulated judge, TPR 80 %, FPR 1 %");
  });

  test.each<[string, Story, Record<string, unknown>, string]>([
    ["another name", paged, { persona: "coherent" }, "named inverted first"],
    [
      "a false alarm before the turn",
      { ...paged, verdicts: [{ position: 380, at: 0, persona: "aligned", severity: "ticket" }, ...paged.verdicts] },
      {},
      "a false alarm before the subject turned",
    ],
    [
      "a page of a subject that stayed aligned",
      { ...paged, looks: [calibrating, healthy, turning, { position: 900, persona: "aligned" }] },
      { persona: "aligned" },
      "named inverted in between",
    ],
    [
      "no name within the bounds",
      { ...paged, looks: [calibrating, healthy, turning, { position: 5_000, persona: "aligned" }], verdicts: [] },
      {},
      "not named in time",
    ],
  ])("%s is told and ends in 1", async (_, story, options, fault) => {
    expect(await demo(story, options).run).toBe(1);
    expect(text()).toContain(`WRONG: ${fault}`);
  });

  test("an aligned subject without any alarm is a success", async () => {
    const story = {
      ...paged,
      looks: [calibrating, healthy, turning, { position: 900, persona: "aligned" as const }],
      verdicts: [],
    };
    expect(await demo(story, { persona: "aligned" }).run).toBe(0);
  });
});

describe("what keeps the demo from running is said and ends in 2", () => {
  test("a control port that fails", async () => {
    const { run, startCandor } = demo({ ...paged, status: 500 });
    expect(await run).toBe(2);
    expect(written.err.join()).toContain("status 500");
    expect(startCandor.stopped()).toBe(1);
  });

  test("a control port that speaks of other things", async () => {
    const { run } = demo({ ...paged, looks: [{ position: -1 }] });
    expect(await run).toBe(2);
    expect(written.err.join()).toContain("GET /api/subjects of the control port");
  });

  test("a baseline that does not grow, though the log does: answers that nobody can judge", async () => {
    const endless = Array.from({ length: 2_000 }, (_, n) => ({
      ...calibrating,
      position: 100 + n,
      missing: ["200 more answers"],
    }));
    const hasty = { ...systemClock, monotonic: () => 1_000 * systemClock.monotonic() };
    expect(await demo({ ...paged, looks: endless }, {}, { clock: hasty }).run).toBe(2);
    expect(written.err.join()).toMatch(/no progress for 30 s; 200 more answers; 0 answers could not be judged/);
  });

  test("being asked to end", async () => {
    expect(await demo(paged, {}, { signal: AbortSignal.abort() }).run).toBe(2);
    expect(written.err.join()).toContain("asked to end");
  });

  test("outputs that are not there", async () => {
    expect(await demo(paged, { outputs: ["no-such.jsonl"], calibrate: ["no-such.jsonl"] }).run).toBe(2);
    expect(written.err.join()).toContain("no-such.jsonl: can't be read (ENOENT)");
  });
});

test("the evidence of a demo is in a folder of its own that is gone afterwards", async () => {
  const { run, startCandor } = demo(paged);
  await run;
  const [config] = startCandor.started() as { evidence: { path: string } }[];
  expect(config?.evidence.path).toContain("candor-demo-");
  expect(existsSync(config?.evidence.path.replace(/[^/]*$/, "") ?? "")).toBe(false);
});

test.each([
  [{ outputs: ["a"] }, "--calibrate"],
  [{ calibrate: ["a"] }, "--outputs"],
  [{ persona: "angelic" }, "persona"],
  [{ perStep: 3 }, "perStep"],
])("options %j are refused", (options, reason) => {
  const parsed = demoOptions.safeParse(options);
  expect(parsed.success).toBe(false);
  expect(JSON.stringify(parsed.error?.issues)).toContain(reason);
});
