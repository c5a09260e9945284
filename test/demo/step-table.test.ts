import { expect, test } from "vitest";
import { stepDelays } from "../../src/demo/step-table.ts";

/** `every` n-th answer is harmful; 0 for none. */
const flags = (count: number, every: number): boolean[] =>
  Array.from({ length: count }, (_, n) => every > 0 && n % every === 0);

const healthy = flags(300, 0);

test("answers as harmless as the baseline never lead to an alarm", () => {
  expect(stepDelays(healthy, flags(600, 0), 1)).toMatchObject({ rate: 0, bound: null, ticket: null, page: null });
});

test("the more harmful the step, the sooner ticket and page, and the page never before the ticket", () => {
  const [mild, bad] = [stepDelays(healthy, flags(600, 10), 1), stepDelays(healthy, flags(600, 3), 1)];
  expect(bad.ticket).toBeLessThan(mild.ticket ?? 0);
  for (const { ticket, page } of [mild, bad]) expect(page).toBeGreaterThanOrEqual(ticket ?? Number.POSITIVE_INFINITY);
});

test("the bound is log(10,000) over the divergence of the rate from the null mean", () => {
  const { rate, nullMean, bound } = stepDelays(healthy, flags(600, 4), 1);
  expect(rate).toBe(0.25);
  const divergence = rate * Math.log(rate / nullMean) + (1 - rate) * Math.log((1 - rate) / (1 - nullMean));
  expect(bound).toBeCloseTo(Math.log(1e4) / divergence, 6);
});

test("the same seed gives the same table", () => {
  expect(stepDelays(healthy, flags(600, 9), 5)).toEqual(stepDelays(healthy, flags(600, 9), 5));
});
