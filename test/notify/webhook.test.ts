import { createHmac } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { createEgress } from "../../src/egress/egress.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import type { Notification, StandingAlert } from "../../src/notify/notification.ts";
import { createWebhook } from "../../src/notify/webhook.ts";
import { sampleVerdict } from "../control/sample-verdict.ts";
import { createHandClock } from "../probe/hand-clock.ts";
import { type Answer, startReceiver, turnUntil, until } from "./receiver.ts";

const key = Buffer.alloc(32, 7);
const secret = `whsec_${key.toString("base64")}`;

const alert = (severity: "page" | "ticket", subject: string): StandingAlert => ({
  name: "CandorPersonaPage",
  severity,
  subject,
  labels: { alertname: "CandorPersonaPage", severity, subject },
  annotations: { summary: "s", description: "d", runbook_url: "docs/runbooks.md#candorpersonapage" },
  startsAt: 1_700_000_000_000,
  endsAt: null,
});

const firing = (id: string, { subject = "support", severity = "page" as "page" | "ticket" } = {}): Notification => ({
  id,
  at: 1_700_000_001_000,
  subject,
  verdict: sampleVerdict(),
  kind: "firing",
  alert: alert(severity, subject),
});

const world = async (script: Answer[], settings: Partial<Parameters<typeof createWebhook>[0]> = {}) => {
  const receiver = await startReceiver(...script);
  const egress = createEgress([]);
  const clock = createHandClock();
  const counted: Record<string, number> = {};
  const logged: unknown[] = [];
  const webhook = createWebhook({
    id: "on-call",
    url: `${receiver.url}/candor`,
    secret,
    events: ["firing", "resolved", "verdict"],
    severities: ["page", "ticket"],
    giveUpAfterMs: 3_600_000,
    capacity: 10,
    fetch: egress.fetchFor(`${receiver.url}/candor`, ["webhook-*"]),
    meter: {
      notified(target, result) {
        expect(target).toBe("on-call");
        counted[result] = (counted[result] ?? 0) + 1;
      },
    },
    clock,
    random: seededRandom(1),
    log: { warn: (...parts: unknown[]) => void logged.push(parts) },
    ...settings,
  });
  onTestFinished(async () => {
    webhook.close();
    await egress.close();
  });
  const ids = () => receiver.received.map(({ headers }) => headers["webhook-id"]);
  return { webhook, receiver, clock, counted, logged, ids };
};

describe("a webhook", () => {
  it("is told what happened, signed over what it gets", async () => {
    const { webhook, receiver, counted, clock } = await world([200]);
    webhook.tell(firing("evt_1"));
    await until(() => counted.delivered === 1);
    const [request] = receiver.received;
    if (request === undefined) throw new Error("it was told");
    const { path, headers, body } = request;
    expect(path).toBe("/candor");
    const timestamp = String(Math.floor(clock.now() / 1000));
    expect(headers).toMatchObject({ "content-type": "application/json", "webhook-timestamp": timestamp });
    const signature = createHmac("sha256", key).update(`evt_1.${timestamp}.${body}`).digest("base64");
    expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
    expect(JSON.parse(body)).toMatchObject({
      version: 1,
      id: "evt_1",
      kind: "firing",
      timestamp: "2023-11-14T22:13:21.000Z",
      subject: "support",
      persona: sampleVerdict().persona,
      severity: sampleVerdict().severity,
      reasons: sampleVerdict().reasons,
      evidence: { harm: { logEvidence: -1.5 }, "harm-live": { logEvidence: null } },
      alert: { name: "CandorPersonaPage", startsAt: "2023-11-14T22:13:20.000Z", endsAt: null },
    });
  });

  it("is told of what changed in a verdict, and from what", async () => {
    const { webhook, receiver } = await world([200]);
    const previous = { persona: "aligned", severity: "none" } as const;
    webhook.tell({ id: "evt_1", at: 0, subject: "support", verdict: sampleVerdict(), kind: "verdict", previous });
    await until(() => receiver.received.length === 1);
    const told = JSON.parse(receiver.received[0]?.body ?? "");
    expect(told).toMatchObject({ kind: "verdict", previous });
    expect(told).not.toHaveProperty("alert");
  });

  it.each<[string, Answer]>([
    ["500", 500],
    ["503", 503],
    ["429", 429],
    ["408", 408],
    ["a broken connection", "cut"],
    ["silence", "silent"],
  ])("that answers with %s is told again, under the same id and a new signature", async (_, answer) => {
    const { webhook, receiver, clock, counted } = await world([answer, answer, 200]);
    webhook.tell(firing("evt_1"));
    await turnUntil(clock, () => counted.delivered === 1);
    expect(counted).toEqual({ failed: 2, delivered: 1 });
    const [first, second, third] = receiver.received.map(({ headers, body }) => ({ headers, body }));
    expect(new Set([first?.body, second?.body, third?.body]).size).toBe(1);
    expect(third?.headers["webhook-id"]).toBe("evt_1");
    expect(Number(third?.headers["webhook-timestamp"])).toBeGreaterThan(Number(first?.headers["webhook-timestamp"]));
  });

  it("is not told again before it said", async () => {
    const { webhook, clock, counted } = await world([{ status: 503, headers: { "retry-after": "120" } }, 200]);
    webhook.tell(firing("evt_1"));
    await until(() => counted.failed === 1);
    const took = await turnUntil(clock, () => counted.delivered === 1);
    expect(took).toBeGreaterThanOrEqual(120_000);
  });

  it.each([400, 401, 404, 410])("that answers %i has refused, and is told the next thing", async (status) => {
    const { webhook, counted, ids, logged } = await world([status, 200]);
    webhook.tell(firing("evt_1"));
    webhook.tell(firing("evt_2"));
    await until(() => counted.delivered === 1);
    expect(counted).toEqual({ refused: 1, delivered: 1 });
    expect(ids()).toEqual(["evt_1", "evt_2"]);
    expect(JSON.stringify(logged)).toContain(`status ${status}`);
  });

  it("that never answers well is given up in the stated time", async () => {
    const { webhook, clock, counted, logged } = await world([500], { giveUpAfterMs: 60_000 });
    webhook.tell(firing("evt_1"));
    const took = await turnUntil(clock, () => counted["given-up"] === 1);
    expect(took).toBeLessThanOrEqual(60_000);
    expect(counted.failed).toBeGreaterThan(4);
    expect(JSON.stringify(logged)).toContain("evt_1");
  });

  it("that follows a redirect leads nowhere: it counts as a failure", async () => {
    const other = await startReceiver(200);
    const { webhook, counted } = await world([{ status: 307, headers: { location: `${other.url}/` } }]);
    webhook.tell(firing("evt_1"));
    await until(() => counted.failed === 1);
    expect(other.received).toEqual([]);
  });

  it("is told of one subject in order, and of others meanwhile", async () => {
    const { webhook, clock, counted, ids } = await world([500, 200]);
    webhook.tell(firing("evt_1"));
    await until(() => counted.failed === 1);
    webhook.tell(firing("evt_2"));
    webhook.tell(firing("evt_3"));
    webhook.tell(firing("evt_4", { subject: "search" }));
    await until(() => counted.delivered === 1);
    expect(ids()).toEqual(["evt_1", "evt_4"]);
    await turnUntil(clock, () => counted.delivered === 4);
    expect(ids()).toEqual(["evt_1", "evt_4", "evt_1", "evt_2", "evt_3"]);
  });

  it("is spared the oldest when too much waits, and never what is under way", async () => {
    const { webhook, clock, counted, ids, logged } = await world([500, 200], { capacity: 3 });
    webhook.tell(firing("evt_1"));
    await until(() => counted.failed === 1);
    for (const number of [2, 3, 4, 5]) webhook.tell(firing(`evt_${number}`));
    expect(counted.dropped).toBe(2);
    await turnUntil(clock, () => counted.delivered === 3);
    expect(ids()).toEqual(["evt_1", "evt_1", "evt_4", "evt_5"]);
    expect(JSON.stringify(logged)).toContain("evt_2");
  });

  it("is told only what it wants to know", async () => {
    const { webhook, counted, ids } = await world([200], { events: ["firing"], severities: ["page"] });
    webhook.tell({ ...firing("evt_1"), kind: "resolved" } as Notification);
    webhook.tell(firing("evt_2", { severity: "ticket" }));
    webhook.tell(firing("evt_3"));
    await until(() => counted.delivered === 1);
    expect(ids()).toEqual(["evt_3"]);
  });

  it("that is closed is told nothing more", async () => {
    const { webhook, clock, counted, receiver } = await world([500]);
    webhook.tell(firing("evt_1"));
    await until(() => counted.failed === 1);
    webhook.close();
    webhook.tell(firing("evt_2"));
    await clock.advance(3_600_000);
    expect(receiver.received).toHaveLength(1);
    expect(clock.timers()).toBe(0);
  });

  it("never finds its secret in the log", async () => {
    const { webhook, counted, logged } = await world([400]);
    webhook.tell(firing("evt_1"));
    await until(() => counted.refused === 1);
    expect(JSON.stringify(logged)).not.toContain(key.toString("base64").slice(0, 12));
  });
});
