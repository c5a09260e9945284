/**
 * The relay alone, with its metrics. With `on`, every answer is copied in full to an observer that then drops it; with
 * `off`, none is. Usage: node candor.ts on|off PORT UPSTREAM_PORT
 */
import { createMetrics } from "../../src/alert/metrics.ts";
import { configSchema } from "../../src/config/schema.ts";
import { createEgress } from "../../src/egress/egress.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { createLog } from "../../src/kernel/log.ts";
import type { ExchangeObserver } from "../../src/relay/exchange.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { routeNames } from "../../src/relay/routes.ts";

const [, , observation, port, upstreamPort] = process.argv;

const none: ExchangeObserver = { begin: () => null };
const copyAll: ExchangeObserver = {
  begin: () => {
    const chunks: Buffer[] = [];
    return { chunk: (bytes) => void chunks.push(bytes), end: () => void chunks.splice(0) };
  },
};

const config = configSchema.parse({
  upstreams: [{ id: "bench", baseUrl: `http://127.0.0.1:${upstreamPort}/v1` }],
  subjects: [{ id: "bench", models: ["bench-model"] }],
});
const egress = createEgress(config.upstreams);
const relay = createRelay({
  ...config,
  egress,
  keys: new Map(),
  observer: observation === "on" ? copyAll : none,
  meter: createMetrics({ subjects: ["bench"], routes: routeNames, classifiers: [], replica: "bench", version: "bench" })
    .relay,
  clock: systemClock,
  log: createLog("warn"),
});
await relay.listen("127.0.0.1", Number(port));
