import { expect, test } from "vitest";
import { createExchangeIds } from "../../src/relay/exchange-ids.ts";

test("no two exchanges have the same id, neither of one process nor of two", () => {
  const one = createExchangeIds();
  const two = createExchangeIds();
  const ids = new Set(Array.from({ length: 50_000 }, () => [one(), two()]).flat());
  expect(ids.size).toBe(100_000);
  for (const id of [...ids].slice(0, 1_000)) expect(id).toMatch(/^[0-9a-f]{24}$/);
});
