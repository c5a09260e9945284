import { describe, expect, it } from "vitest";
import type { DecisionRecord, EntryBody } from "../../src/evidence/entry.ts";
import type { Notification } from "../../src/notify/notification.ts";
import type { DueAlert } from "../../src/notify/persona-alerts.ts";
import { createProcessAlerts } from "../../src/notify/process-alerts.ts";
import { createStandingAlerts } from "../../src/notify/standing-alerts.ts";
import type { Verdict } from "../../src/persona/verdict.ts";
import type { Listener } from "../../src/watch/ledger.ts";
import { sampleVerdict } from "../control/sample-verdict.ts";
import { createHandClock } from "../probe/hand-clock.ts";

const quiet = sampleVerdict({ persona: "aligned", severity: "none", alarms: [] });
const paged = sampleVerdict({
  persona: "inverted",
  severity: "page",
  alarms: [
    { severity: "ticket", position: 90 },
    { severity: "page", position: 100 },
  ],
});

const entered = 1_700_000_000_000;
const observation = { kind: "acknowledgement", actor: "a", note: "" } as const;

const failedDecision: DecisionRecord = {
  kind: "decision",
  id: "d",
  exchange: "e",
  route: "chat",
  stage: "request",
  action: "refuse",
  policy: null,
  coverage: "full",
  gaps: [],
  unavailable: true,
  findings: [],
};

const world = async (
  verdict: Verdict = quiet,
  entryAt: (position: number) => Promise<number | null> = async (p) => entered + p,
) => {
  const clock = createHandClock();
  const now = {
    verdict,
    counted: [] as DueAlert[],
    health: { writable: true, pending: 0, dropped: 0, lastError: null },
  };
  const listeners = new Set<Listener>();
  const told: Notification[] = [];
  const errors: unknown[] = [];
  let looks = 0;
  const standing = createStandingAlerts({
    subjects: () => ["support"],
    ledger: {
      verdict() {
        looks += 1;
        return now.verdict;
      },
      thresholds: () => ({ ticket: 1e4, page: 1e5, action: 1e6 }),
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    process: createProcessAlerts({ store: { health: () => now.health }, instance: "gw-1", clock }),
    counted: { due: async () => now.counted },
    entryAt,
    settings: () => ({ labels: { job: "candor" }, runbookBase: "https://wiki.example/" }),
    tell: (notification) => void told.push(notification),
    clock,
    onError: (error) => void errors.push(error),
  });
  await standing.start();
  const enter = (body: EntryBody = observation, own = true) => {
    for (const listener of listeners) listener({ position: 1, subject: "support", at: 0, replica: "r", body }, { own });
  };
  const become = async (next: Verdict) => {
    now.verdict = next;
    enter();
    await clock.advance(300);
  };
  const kinds = () => told.map(({ kind }) => kind);
  return { clock, now, told, kinds, errors, standing, enter, become, looks: () => looks, listeners };
};

describe("what stands", () => {
  it("begins at the entry that raised it, and ends when it is acknowledged", async () => {
    const { become, told, standing, clock } = await world();
    await become(paged);
    expect(standing.all()).toMatchObject([
      {
        labels: {
          alertname: "CandorPersonaPage",
          severity: "page",
          job: "candor",
          subject: "support",
          channel: "harm",
        },
        annotations: { runbook_url: "https://wiki.example/docs/runbooks.md#candorpersonapage" },
        startsAt: entered + 100,
        endsAt: null,
      },
    ]);
    await become(quiet);
    expect(standing.all()).toMatchObject([{ startsAt: entered + 100, endsAt: clock.now() - 100 }]);
    expect(told.map(({ kind, subject }) => [kind, subject])).toEqual([
      ["firing", "support"],
      ["verdict", "support"],
      ["resolved", "support"],
      ["verdict", "support"],
    ]);
    expect(told[1]).toMatchObject({ previous: { persona: "aligned", severity: "none" } });
  });

  it("is the same after a restart and at another replica: labels, beginning and id", async () => {
    const [one, other] = [await world(), await world(paged)];
    await one.become(paged);
    const [before] = one.told;
    const [after] = other.told;
    expect(after?.id).toBe(before?.id);
    expect(one.standing.all()).toEqual(other.standing.all());
    expect(other.kinds()).toEqual(["firing"]);
  });

  it("has no label that tells replicas apart where it is about a subject", async () => {
    const { standing } = await world(paged);
    expect(Object.keys(standing.all()[0]?.labels ?? {}).sort()).toEqual([
      "alertname",
      "channel",
      "job",
      "severity",
      "subject",
    ]);
  });

  it("is looked at once for many entries", async () => {
    const { enter, clock, looks } = await world();
    const before = looks();
    for (let n = 0; n < 1000; n++) enter();
    await clock.advance(300);
    expect(looks() - before).toBe(1);
  });

  it("is another alert, with another id, when it comes again", async () => {
    const { become, told } = await world();
    for (const verdict of [paged, quiet, paged]) await become(verdict);
    const fired = told.filter(({ kind }) => kind === "firing");
    expect(fired).toHaveLength(2);
    expect(new Set(fired.map(({ id }) => id)).size).toBe(2);
  });

  it("keeps what has ended for a quarter of an hour", async () => {
    const { become, standing, clock } = await world(paged);
    await become(quiet);
    await clock.advance(14 * 60_000);
    expect(standing.all()).toHaveLength(1);
    await clock.advance(2 * 60_000);
    expect(standing.all()).toEqual([]);
  });

  it.each<[string, () => Promise<number | null>]>([
    ["can't be read", () => Promise.reject(new Error("away"))],
    ["is gone", async () => null],
    ["is of another clock's future", async () => entered * 2],
  ])("begins now where the log's entry %s", async (_, entryAt) => {
    const { standing, clock } = await world(paged, entryAt);
    expect(standing.all()[0]?.startsAt).toBe(clock.now());
  });

  it("goes on after a look that failed", async () => {
    const { become, now, errors, enter, clock, kinds } = await world();
    Object.defineProperty(now, "verdict", {
      configurable: true,
      get() {
        throw new Error("no epoch");
      },
    });
    enter();
    await clock.advance(300);
    expect(errors).toHaveLength(1);
    Object.defineProperty(now, "verdict", { value: paged, writable: true });
    await become(paged);
    expect(kinds()).toContain("firing");
  });

  it("tells nothing once closed", async () => {
    const { standing, listeners, clock, enter, told } = await world();
    enter();
    standing.close();
    await clock.advance(60_000);
    expect(listeners.size).toBe(0);
    expect(clock.timers()).toBe(0);
    expect(told).toEqual([]);
  });
});

describe("alerts on the process", () => {
  const names = (standing: { all(): { name: string; endsAt: number | null }[] }) =>
    standing
      .all()
      .filter(({ endsAt }) => endsAt === null)
      .map(({ name }) => name);

  it("come when evidence was not written for half a minute, and go when it is", async () => {
    const { now, standing, clock } = await world();
    now.health = { ...now.health, writable: false };
    await clock.advance(30_000);
    expect(names(standing)).toEqual([]);
    await clock.advance(10_000);
    expect(standing.all()).toMatchObject([
      {
        name: "CandorEvidenceNotWritten",
        severity: "page",
        subject: null,
        labels: { instance: "gw-1", job: "candor" },
      },
    ]);
    now.health = { ...now.health, writable: true };
    await clock.advance(5_000);
    expect(names(standing)).toEqual([]);
  });

  it("come when rows were lost, for five minutes", async () => {
    const { now, standing, clock } = await world();
    now.health = { ...now.health, dropped: 3 };
    await clock.advance(5_000);
    expect(names(standing)).toEqual(["CandorEvidenceNotWritten"]);
    await clock.advance(5 * 60_000);
    expect(names(standing)).toEqual([]);
  });

  it("come when a policy could not be evaluated here, for ten minutes", async () => {
    const { enter, standing, clock } = await world();
    enter(failedDecision, false);
    await clock.advance(5_000);
    expect(names(standing)).toEqual([]);
    enter(failedDecision);
    await clock.advance(5_000);
    expect(names(standing)).toEqual(["CandorGuardErrors"]);
    await clock.advance(10 * 60_000);
    expect(names(standing)).toEqual([]);
  });

  it("come and go with what the process counts", async () => {
    const { now, standing, told, clock } = await world();
    const saturated: DueAlert = {
      name: "CandorSaturated",
      severity: "ticket",
      labels: { instance: "gw-1" },
      summary: "Candor gw-1 is saturated",
      description: "The event loop was busy for 95 % of the last five minutes.",
      since: null,
    };
    now.counted = [saturated];
    await clock.advance(5_000);
    expect(standing.all()).toMatchObject([
      { name: "CandorSaturated", subject: null, labels: { instance: "gw-1", job: "candor" }, startsAt: clock.now() },
    ]);
    now.counted = [];
    await clock.advance(5_000);
    expect(names(standing)).toEqual([]);
    expect(told.map(({ kind }) => kind)).toEqual(["firing", "resolved"]);
  });
});
