import { describe, expect, it, onTestFinished } from "vitest";
import { createEgress } from "../../src/egress/egress.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { createAlertmanager } from "../../src/notify/alertmanager.ts";
import type { StandingAlert } from "../../src/notify/notification.ts";
import { createHandClock } from "../probe/hand-clock.ts";
import { type Answer, startReceiver, turnUntil, until } from "./receiver.ts";

const resendMs = 60_000;

const standing = (parts: Partial<StandingAlert> = {}): StandingAlert => ({
  name: "CandorPersonaPage",
  severity: "page",
  subject: "support",
  labels: { alertname: "CandorPersonaPage", severity: "page", subject: "support", job: "candor" },
  annotations: { summary: "s", description: "d", runbook_url: "docs/runbooks.md#candorpersonapage" },
  startsAt: 1_700_000_000_000,
  endsAt: null,
  ...parts,
});

const world = async (script: Answer[], authorization: string | null = null) => {
  const receiver = await startReceiver(...script);
  const egress = createEgress([]);
  const clock = createHandClock();
  const counted = { delivered: 0, failed: 0 };
  const alerts: StandingAlert[] = [];
  const alertmanager = createAlertmanager({
    id: "am",
    url: `${receiver.url}/prefix/`,
    authorization,
    fetch: egress.fetchFor(receiver.url),
    all: () => alerts,
    resendMs,
    meter: {
      notified(_, result) {
        if (result === "delivered" || result === "failed") counted[result] += 1;
      },
    },
    clock,
    random: seededRandom(1),
    log: { warn() {}, info() {} },
  });
  onTestFinished(async () => {
    alertmanager.close();
    await egress.close();
  });
  const posted = () => receiver.received.map(({ body }) => JSON.parse(body));
  return { alertmanager, receiver, clock, counted, alerts, posted };
};

const at = (time: number): string => new Date(time).toISOString();

describe("an Alertmanager", () => {
  it("is told nothing while nothing stands", async () => {
    const { receiver, clock } = await world([200]);
    await clock.advance(10 * resendMs);
    expect(receiver.received).toEqual([]);
  });

  it("is told at once of what stands, with an end four intervals ahead", async () => {
    const { alertmanager, alerts, clock, counted, posted, receiver } = await world([200], "Bearer am-key");
    alerts.push(standing());
    alertmanager.changed();
    await until(() => counted.delivered === 1);
    expect(receiver.received[0]).toMatchObject({
      path: "/prefix/api/v2/alerts",
      headers: { authorization: "Bearer am-key", "content-type": "application/json" },
    });
    const { labels, annotations } = standing();
    const endsAt = at(clock.now() + 4 * resendMs);
    expect(posted()).toEqual([[{ labels, annotations, startsAt: at(1_700_000_000_000), endsAt }]]);
  });

  it("is told again at every interval, with the same beginning", async () => {
    const { alertmanager, alerts, clock, counted, posted } = await world([200]);
    alerts.push(standing());
    alertmanager.changed();
    await until(() => counted.delivered === 1);
    expect(await turnUntil(clock, () => counted.delivered === 3)).toBeGreaterThanOrEqual(2 * resendMs);
    const starts = posted().map(([alert]) => alert.startsAt);
    const ends = posted().map(([alert]) => alert.endsAt);
    expect(new Set(starts).size).toBe(1);
    expect(ends).toEqual([...new Set(ends)].sort());
  });

  it("is told the end of what has ended, whenever it is told", async () => {
    const { alertmanager, alerts, clock, counted, posted } = await world([200]);
    const endsAt = 1_700_000_003_000;
    alerts.push(standing({ endsAt }));
    alertmanager.changed();
    await turnUntil(clock, () => counted.delivered === 2);
    expect(posted().map(([alert]) => alert.endsAt)).toEqual([at(endsAt), at(endsAt)]);
  });

  it.each<[string, Answer]>([
    ["fails", 500],
    ["refuses", 400],
    ["hangs up", "cut"],
    ["is silent", "silent"],
  ])("that %s is told again sooner than at the next interval", async (_, answer) => {
    const { alertmanager, alerts, clock, counted } = await world([answer, 200]);
    alerts.push(standing());
    alertmanager.changed();
    const took = await turnUntil(clock, () => counted.delivered === 1);
    expect(counted.failed).toBe(1);
    expect(took).toBeLessThan(resendMs);
  });

  it("that says when to come again is left alone until then", async () => {
    const { alertmanager, alerts, clock, counted } = await world([
      { status: 429, headers: { "retry-after": "90" } },
      200,
    ]);
    alerts.push(standing());
    alertmanager.changed();
    await until(() => counted.failed === 1);
    expect(await turnUntil(clock, () => counted.delivered === 1)).toBeGreaterThanOrEqual(90_000);
  });

  it("is told in one further post of all that changed during one", async () => {
    const { alertmanager, alerts, counted, posted } = await world([200]);
    alerts.push(standing());
    alertmanager.changed();
    alerts.push(standing({ name: "CandorGuardErrors", subject: null }));
    alertmanager.changed();
    alertmanager.changed();
    await until(() => counted.delivered === 2);
    expect(posted().map((alerts) => alerts.length)).toEqual([1, 2]);
  });

  it("that is closed is told nothing more", async () => {
    const { alertmanager, alerts, clock, counted, receiver } = await world([200]);
    alerts.push(standing());
    alertmanager.changed();
    await until(() => counted.delivered === 1);
    alertmanager.close();
    alertmanager.changed();
    await clock.advance(10 * resendMs);
    expect(receiver.received).toHaveLength(1);
    expect(clock.timers()).toBe(0);
  });
});
