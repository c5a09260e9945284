/** Notices when the app itself is told that it asks too much, on any exchange, sampled or not: probes must give way then. */
import type { RelayMeter } from "../relay/exchange.ts";

export const noticingRateLimits = (
  meter: RelayMeter,
  banks: ReadonlyMap<string, { noteRateLimited(): void }>,
): RelayMeter => ({
  ...meter,
  requestFinished(subject, route, end, timings) {
    if (end.status === 429) banks.get(subject)?.noteRateLimited();
    meter.requestFinished(subject, route, end, timings);
  },
});
