import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import { isSampled, newSpanId, newTraceId, readTraceParent } from "../../src/telemetry/span.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

describe("a caller's trace", () => {
  it.each([
    [`00-${traceId}-${spanId}-01`, true],
    [`00-${traceId}-${spanId}-00`, false],
    [`cc-${traceId}-${spanId}-03-what-the-future-will-be-like`, true],
  ])("is read from %s", (header, sampled) => {
    expect(readTraceParent(header)).toEqual({ traceId, spanId, sampled });
  });

  it.each([
    undefined,
    ["00"],
    "",
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${"0".repeat(32)}-${spanId}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId.slice(1)}-${spanId}-01`,
  ])("is not read from %s", (header) => {
    expect(readTraceParent(header)).toBeNull();
  });
});

describe("sampling", () => {
  const random = seededRandom(3);
  const ids = Array.from({ length: 4_000 }, () => newTraceId(random));

  it("takes about the configured share, by the trace's id alone", () => {
    const taken = ids.filter((id) => isSampled(id, null, 0.25));
    expect(taken.length).toBeGreaterThan(900);
    expect(taken.length).toBeLessThan(1_100);
  });

  it("takes all, or nothing", () => {
    expect(ids.every((id) => isSampled(id, null, 1))).toBe(true);
    expect(ids.some((id) => isSampled(id, null, 0))).toBe(false);
  });

  it("takes none that the caller does not sample", () => {
    expect(isSampled(traceId, { traceId, spanId, sampled: false }, 1)).toBe(false);
  });

  it("is about ids of the right length", () => {
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(newSpanId(random)).toMatch(/^[0-9a-f]{16}$/);
  });
});
