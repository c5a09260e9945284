/** Receivers of alerts that come, go and change while something stands; over real sockets, by a clock turned by hand. */
import { expect, onTestFinished, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { createEgress } from "../../src/egress/egress.ts";
import { seededRandom } from "../../src/kernel/random.ts";
import { type Alerting, createNotifications } from "../../src/notify/create-notifications.ts";
import { sampleVerdict } from "../control/sample-verdict.ts";
import { createHandClock } from "../probe/hand-clock.ts";
import { type Received, startReceiver, turnUntil, until } from "./receiver.ts";

const paged = sampleVerdict({ persona: "inverted", severity: "page", alarms: [{ severity: "page", position: 100 }] });
const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

const settingsOf = (alerting: Record<string, unknown>): Alerting["settings"] =>
  configFrom(
    { upstreams: [{ id: "up", baseUrl: "http://127.0.0.1:9" }], subjects: [{ id: "s", models: ["m"] }], alerting },
    "the test",
  ).alerting;

const hook = (id: string, url: string, more: Record<string, unknown> = {}) => ({
  id,
  url,
  secret: { env: "HOOK" },
  ...more,
});

const world = () => {
  const clock = createHandClock();
  let open = 0;
  const notifications = createNotifications({
    ledger: {
      verdict: () => paged,
      thresholds: () => ({ ticket: 1e4, page: 1e5, action: 1e6 }),
      subscribe: () => () => {},
    },
    store: { health: () => ({ writable: true, pending: 0, dropped: 0, lastError: null }), since: () => [] },
    readMetrics: async () => [],
    replica: "gw-1",
    connect(baseUrl, ownHeaders) {
      const egress = createEgress([]);
      open += 1;
      return {
        fetch: egress.fetchFor(baseUrl, ownHeaders),
        async close() {
          open -= 1;
          await egress.close();
        },
      };
    },
    meter: { notified() {} },
    clock,
    random: seededRandom(1),
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  onTestFinished(notifications.close);
  return {
    clock,
    open: () => open,
    notifications,
    use: (alerting: Record<string, unknown>, subjects = ["support"]) =>
      notifications.use({
        settings: settingsOf(alerting),
        secrets: new Map([
          ["one", secret],
          ["other", secret],
        ]),
        subjects,
      }),
  };
};

const kindsOf = (received: readonly Received[]): string[] =>
  received.map(({ body }) => (JSON.parse(body) as { kind: string }).kind);
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

test("a receiver that stays as it was is not told again of what stands", async () => {
  const [one, other] = [await startReceiver(), await startReceiver()];
  const { use, open } = world();
  use({ webhooks: [hook("one", one.url)] });
  await until(() => one.received.length === 1);
  use({ webhooks: [hook("one", one.url), hook("other", other.url)] });
  expect(open()).toBe(2);
  use({ webhooks: [hook("one", one.url)] });
  await pause();
  expect(kindsOf(one.received)).toEqual(["firing"]);
  expect(open()).toBe(1);
});

test("a receiver that is changed gets what the one before it could not bring", async () => {
  const [broken, mended] = [await startReceiver(500), await startReceiver()];
  const { use } = world();
  use({ webhooks: [hook("one", broken.url)] });
  await until(() => broken.received.length === 1);
  use({ webhooks: [hook("one", mended.url)] });
  await until(() => mended.received.length === 1);
  expect(kindsOf(mended.received)).toEqual(["firing"]);
});

test("what stood of a subject that is taken out ends", async () => {
  const one = await startReceiver();
  const { use } = world();
  use({ webhooks: [hook("one", one.url)] }, ["support", "search"]);
  await until(() => one.received.length === 2);
  use({ webhooks: [hook("one", one.url)] }, ["support"]);
  await until(() => one.received.length === 3);
  expect(kindsOf(one.received)).toEqual(["firing", "firing", "resolved"]);
  expect(JSON.parse(one.received[2]?.body ?? "{}")).toMatchObject({ kind: "resolved", subject: "search" });
});

test("an Alertmanager that is named later is posted what stands, and none that is no longer named", async () => {
  const [one, manager] = [await startReceiver(), await startReceiver()];
  const { use, clock, open } = world();
  use({ webhooks: [hook("one", one.url)] });
  await until(() => one.received.length === 1);
  const alertmanagers = [{ id: "other", url: manager.url }];
  use({ webhooks: [hook("one", one.url)], alertmanagers });
  await turnUntil(clock, () => manager.received.length >= 2);
  expect(manager.received[0]?.body).toContain("CandorPersonaPage");
  use({});
  expect(open()).toBe(0);
  const before = manager.received.length;
  await clock.advance(600_000);
  await pause();
  expect(manager.received).toHaveLength(before);
});
