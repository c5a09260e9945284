import { describe, expect, test } from "vitest";
import { policySchema } from "../../src/guard/policy.ts";

const policy = { id: "p", description: "d", stage: "response", match: { terms: ["x"] } };
const unread = ["unreadable-body", "encoded-body", "too-large", "unknown-part"];

describe("what can't be read", () => {
  test.each([
    ["block", unread],
    ["refuse", unread],
    ["flag", []],
    ["redact", []],
  ])("is by default for %s: %j", (action, gaps) => {
    expect(policySchema.parse({ ...policy, action }).gaps).toEqual(gaps);
  });

  test("is what the operator says, where the operator says it", () => {
    expect(policySchema.parse({ ...policy, action: "block", gaps: [] }).gaps).toEqual([]);
    expect(policySchema.parse({ ...policy, action: "block", gaps: ["image"] }).gaps).toEqual(["image"]);
    expect(policySchema.safeParse({ ...policy, action: "redact", gaps: ["image"] }).success).toBe(false);
  });
});
