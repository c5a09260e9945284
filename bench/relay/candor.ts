/** The relay with its metrics, and nothing that watches. Usage: node candor.ts PORT UPSTREAM_PORT */
import { createMetrics } from "../../src/alert/metrics.ts";
import { configSchema } from "../../src/config/schema.ts";
import { createEgress } from "../../src/egress/egress.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { createLog } from "../../src/kernel/log.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { routeNames } from "../../src/relay/routes.ts";

const [, , port, upstreamPort] = process.argv;

const config = configSchema.parse({
  upstreams: [{ id: "bench", baseUrl: `http://127.0.0.1:${upstreamPort}/v1` }],
  subjects: [{ id: "bench", models: ["bench-model"] }],
});
const { relay: meter } = createMetrics({
  subjects: ["bench"],
  routes: routeNames,
  classifiers: [],
  replica: "bench",
  version: "bench",
  clock: systemClock,
});
const relay = createRelay({ ...config, meter, clock: systemClock, log: createLog("warn") });
relay.use(
  relay.prepare({
    ...config,
    egress: createEgress(config.upstreams),
    keys: new Map(),
    holding: { answerBytes: 8 * 1024 * 1024, streamBytes: 1024 * 1024, keepAliveMs: 10_000, lastEvent: "done" },
    observer: { begin: () => null },
    meter,
  }),
);
await relay.listen("127.0.0.1", Number(port));
