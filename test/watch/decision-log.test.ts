import { expect, test } from "vitest";
import type { DecisionRecord } from "../../src/evidence/entry.ts";
import type { Decision, Finding } from "../../src/guard/guard.ts";
import { createDecisionLog } from "../../src/watch/decision-log.ts";

const finding = (parts: Partial<Finding> = {}): Finding => ({
  policy: "keys",
  version: "v1",
  action: "block",
  result: "enforced",
  where: "message user messages[0].content",
  matcher: "terms",
  ...parts,
});

const decision = (parts: Partial<Decision> = {}): Decision => ({
  id: "d",
  stage: "request",
  action: "allow",
  policy: null,
  asked: ["keys", "advice"],
  findings: [],
  coverage: "full",
  gaps: [],
  edits: [],
  message: null,
  rerouteTo: null,
  unavailable: false,
  ...parts,
});

const exchange = { id: "x", subject: "bot", route: "chat" };

const begin = (mostPerMinute?: number) => {
  const recorded: { subject: string | null; body: DecisionRecord }[] = [];
  const world = { now: 0, counted: 0, unrecorded: 0 };
  const log = createDecisionLog({
    record(subject, body) {
      recorded.push({ subject, body });
      return { subject: subject ?? "", at: 0, body, position: recorded.length, replica: "r" };
    },
    meter: {
      decided() {
        world.counted += 1;
      },
      unrecorded() {
        world.unrecorded += 1;
      },
    },
    clock: { monotonic: () => world.now },
    onError(error) {
      throw error;
    },
    ...(mostPerMinute === undefined ? {} : { mostPerMinute }),
  });
  return { log, recorded, world };
};

test("what could not be read is entered with its reason, though nothing was found, and leaves room for what was", () => {
  const { log, recorded, world } = begin();
  const unread = decision({ coverage: "partial", gaps: ["image"] });
  for (let count = 0; count < 2_000; count += 1) log.decided(exchange, unread);
  expect(recorded).toHaveLength(100);
  expect(recorded[0]?.body).toMatchObject({ action: "allow", coverage: "partial", gaps: ["image"], findings: [] });
  log.decided(exchange, decision({ action: "block", policy: "keys", findings: [finding()] }));
  expect(recorded).toHaveLength(101);
  expect([world.counted, world.unrecorded]).toEqual([2_001, 1_900]);
  world.now = 60_000;
  log.decided(exchange, unread);
  expect(recorded).toHaveLength(102);
});

test("what nothing was found in is counted and not entered", () => {
  const { log, recorded, world } = begin();
  log.decided(exchange, decision());
  expect({ ...world, recorded }).toMatchObject({ counted: 1, recorded: [] });
  expect(log.tally("keys")).toEqual({ asked: 1, enforced: 0, would: 0, error: 0, wouldChange: 0 });
});

test("a finding is entered with the place where it was first met and how often, and never with text", () => {
  const { log, recorded } = begin();
  const edits = [{ at: ["a"], start: 0, end: 3, replacement: "SECRET" }];
  const findings = [finding(), finding({ where: "second" }), finding({ policy: "advice", result: "would" })];
  log.decided(exchange, decision({ action: "redact", policy: "keys", findings, edits, message: "SECRET" }));
  expect(recorded).toEqual([
    {
      subject: "bot",
      body: {
        kind: "decision",
        id: "d",
        exchange: "x",
        route: "chat",
        stage: "request",
        action: "redact",
        policy: "keys",
        coverage: "full",
        gaps: [],
        unavailable: false,
        findings: [
          { ...finding(), count: 2 },
          { ...finding({ policy: "advice", result: "would" }), count: 1 },
        ],
      },
    },
  ]);
});

test("what could not be decided is entered although no policy found anything", () => {
  const { log, recorded } = begin();
  log.decided({ ...exchange, subject: null }, decision({ action: "block", unavailable: true, asked: [] }));
  expect(recorded).toMatchObject([{ subject: null, body: { unavailable: true, policy: null } }]);
});

test("a shadow policy's effect is what would have been decided otherwise", () => {
  const { log } = begin();
  const would = finding({ policy: "advice", action: "redact", result: "would" });
  log.decided(exchange, decision({ action: "flag", findings: [would, would] }));
  log.decided(exchange, decision({ action: "block", findings: [would, finding()] }));
  log.decided(exchange, decision());
  expect(log.tally("advice")).toEqual({ asked: 3, enforced: 0, would: 2, error: 0, wouldChange: 1 });
  expect(log.tally("keys")).toMatchObject({ asked: 3, enforced: 1 });
});

test("whoever makes policies match cannot fill the disk: a minute has its most, and the rest is counted", () => {
  const { log, recorded, world } = begin(2);
  for (let i = 0; i < 5; i++) log.decided(exchange, decision({ action: "flag", findings: [finding()] }));
  expect(recorded).toHaveLength(2);
  expect(world).toMatchObject({ counted: 5, unrecorded: 3 });
  world.now = 60_000;
  log.decided(exchange, decision({ action: "flag", findings: [finding()] }));
  expect(recorded).toHaveLength(3);
});

test("one decision holds a bounded number of findings", () => {
  const { log, recorded } = begin();
  const findings = Array.from({ length: 500 }, (_, index) => finding({ policy: `p${index}`, where: "w".repeat(900) }));
  log.decided(exchange, decision({ action: "flag", findings }));
  expect(recorded[0]?.body.findings).toHaveLength(64);
  expect(recorded[0]?.body.findings[0]?.where).toHaveLength(200);
});
