/** Receivers of alerts and of telemetry in the configuration: what is wrong is named with its field. */
import { expect, it } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { readSecrets } from "../../src/config/secrets.ts";

const configWith = (parts: object) =>
  configFrom(
    { upstreams: [{ id: "u", baseUrl: "http://127.0.0.1/v1" }], subjects: [{ id: "a", models: ["m"] }], ...parts },
    "flags",
  );

const webhook = { id: "hook", url: "https://hooks.example/", secret: { env: "SECRET" } };
const am = { id: "am", url: "http://am:9093" };
const signing = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;

it.each<[string, object, string]>([
  ["two webhooks of one name", { alerting: { webhooks: [webhook, webhook] } }, "already used by entry 0"],
  [
    "a webhook with an Alertmanager's name",
    { alerting: { alertmanagers: [am], webhooks: [{ ...webhook, id: "am" }] } },
    "an Alertmanager has this id",
  ],
  ["a user without a password", { alerting: { alertmanagers: [{ ...am, username: "x" }] } }, "name the password"],
  ["a webhook without a secret", { alerting: { webhooks: [{ id: "h", url: "https://h.example" }] } }, "secret"],
  [
    "a key in a URL",
    { alerting: { webhooks: [{ ...webhook, url: "https://h.example/?token=1" }] } },
    "leave out the query",
  ],
  ["a label that is none", { alerting: { labels: { "a-b": "c" } } }, "use Prometheus label names"],
  ["an endpoint that is none", { telemetry: { otlp: { endpoint: "collector:4318" } } }, "http://"],
  [
    "a header in other letters",
    { telemetry: { otlp: { endpoint: "http://c", headers: { Authorization: { env: "A" } } } } },
    "use header names in lower case",
  ],
  ["a share beyond all", { telemetry: { otlp: { endpoint: "http://c", sampleShare: 2 } } }, "sampleShare"],
])("%s is refused, and it says why", (_, parts, message) => {
  expect(() => configWith(parts)).toThrow(message);
});

it("secrets of receivers are read by their names", () => {
  const config = configWith({
    alerting: { alertmanagers: [{ ...am, key: { env: "AM" } }], webhooks: [webhook] },
    telemetry: { otlp: { endpoint: "http://c:4318", headers: { authorization: { env: "OTLP" } } } },
  });
  const secrets = readSecrets(config, { AM: "am-key", SECRET: signing, OTLP: "Bearer otlp-key" });
  expect([...secrets.alerting]).toEqual([
    ["am", "am-key"],
    ["hook", signing],
  ]);
  expect([...secrets.telemetry]).toEqual([["authorization", "Bearer otlp-key"]]);
});

it.each(["plain", "whsec_short", `${signing}!`])("a signing secret like %s is refused without showing it", (secret) => {
  const read = () => readSecrets(configWith({ alerting: { webhooks: [webhook] } }), { SECRET: secret });
  expect(read).toThrow("alerting.webhooks[0].secret: use whsec_");
  expect(read).not.toThrow(secret);
});
