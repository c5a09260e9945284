import { afterAll, beforeAll, expect, test } from "vitest";
import { decisionDetail, decisionPage, errorView, policyList } from "../../src/control/api-schema.ts";
import { policySchema, policyVersion } from "../../src/guard/policy.ts";
import { decisionOf } from "../watch/rows.ts";
import { type Running, rows, run } from "./running-control.ts";

const policy = policySchema.parse({
  id: "no-keys",
  description: "keys stay here",
  stage: "request",
  where: { subjects: ["support"] },
  match: { terms: ["key"] },
  action: "block",
  mode: "shadow",
});

let running: Running;
beforeAll(async () => {
  running = await run([
    ...rows("support", decisionOf("no-keys"), decisionOf("advice", "would")),
    ...rows("", decisionOf("no-keys", "would")),
    ...rows("search", { kind: "acknowledgement", actor: "a", note: "n" }, decisionOf("no-keys")),
  ]);
  running.world.policies = [{ policy, tally: { asked: 12, enforced: 0, would: 3, error: 0, wouldChange: 2 } }];
});
afterAll(() => running.control.close());

const positions = async (query: string): Promise<number[]> => {
  const { status, json, text } = await running.call(`/api/decisions${query}`);
  expect(status, text).toBe(200);
  return decisionPage.parse(json).decisions.map(({ position }) => position);
};

test.each([
  ["", [5, 3, 2, 1]],
  ["?subject=support", [2, 1]],
  ["?policy=no-keys", [5, 3, 1]],
  ["?action=block", [5, 1]],
  ["?result=would", [3, 2]],
  ["?policy=no-keys&result=would&action=allow", [3]],
  ["?limit=2", [5, 3]],
  ["?before=3", [2, 1]],
])("decisions '%s' are %j, newest first", async (query, expected) => {
  expect(await positions(query)).toEqual(expected);
});

test("traffic of no subject is told as such", async () => {
  const { decisions } = decisionPage.parse((await running.call("/api/decisions?before=4&limit=1")).json);
  expect(decisions[0]?.subject).toBeNull();
});

test("one decision comes with its place in the chain; a row that is none is a 404", async () => {
  const { chain } = decisionDetail.parse((await running.call("/api/decisions/5")).json);
  expect(chain).toEqual({ hash: "hash-5", previous: "hash-4" });
  const { status, json } = await running.call("/api/decisions/4");
  expect(status).toBe(404);
  expect(errorView.parse(json).error).toMatchObject({ param: "position", code: "not_found" });
});

test.each([
  ["?action=destroy", "action"],
  ["?result=maybe", "result"],
  ["?subject=nobody", "subject"],
  ["?limit=0", "limit"],
])("%s is refused with the name of the parameter", async (query, param) => {
  const { status, json } = await running.call(`/api/decisions${query}`);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(errorView.parse(json).error.param).toBe(param);
});

test("policies come with what they are and what came of them", async () => {
  const { policies } = policyList.parse((await running.call("/api/policies")).json);
  expect(policies).toEqual([
    {
      id: "no-keys",
      version: policyVersion(policy),
      description: "keys stay here",
      stage: "request",
      action: "block",
      mode: "shadow",
      where: { subjects: ["support"], routes: null, carriers: null, personas: null },
      asked: 12,
      enforced: 0,
      would: 3,
      wouldChange: 2,
      error: 0,
    },
  ]);
});
