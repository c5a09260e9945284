import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  errorView,
  observationDetail,
  observationPage,
  subjectList,
  subjectView,
  traceView,
  verdictPage,
  versionView,
} from "../../src/control/api-schema.ts";
import { decisionOf } from "../watch/rows.ts";
import { observed, type Running, rows, run, token, verdictRow } from "./running-control.ts";

const log = [
  ...rows("support", ...Array.from({ length: 6 }, () => observed()), observed({ harmful: true, content: null })),
  ...rows("search", observed({ experiment: "two-descriptions", arm: "forked", outcome: "refused", value: null })),
  ...rows("support", verdictRow("none"), verdictRow("ticket")),
  ...rows("search", verdictRow("none"), decisionOf("no-keys")),
];
const decided = log.length;

let running: Running;
beforeAll(async () => {
  running = await run(log);
});
afterAll(() => running.control.close());

const get = async (path: string): Promise<unknown> => {
  const { status, json, text } = await running.call(path);
  expect(status, text).toBe(200);
  return json;
};

describe("subjects", () => {
  test("all are listed in the order of the configuration, in the documented shape", async () => {
    const { subjects } = subjectList.parse(await get("/api/subjects"));
    expect(subjects.map(({ id, probes }) => ({ id, probed: probes !== null }))).toEqual([
      { id: "support", probed: true },
      { id: "search", probed: false },
    ]);
  });

  test("one is found by its id; evidence without a finite value is null", async () => {
    const { verdict, live } = subjectView.parse(await get("/api/subjects/support"));
    expect(verdict.evidence["harm-live"]?.logEvidence).toBeNull();
    expect(verdict.evidence.harm?.logEvidence).toBe(-1.5);
    expect(live).toEqual({ sampleRate: 0.1, maxPerHour: 120 });
  });

  test("each has its place in the fleet, with the evidence that being one of two leaves", async () => {
    const { subjects } = subjectList.parse(await get("/api/subjects"));
    expect(subjects.map(({ fleet }) => fleet.rank).sort()).toEqual([1, 2]);
    for (const { fleet } of subjects) {
      // Both have the same evidence, so neither pays for the other.
      expect(fleet.logEvidence).toBeCloseTo(-1.5, 9);
      expect(fleet.severity).toBe("none");
    }
    expect(subjectView.parse(await get("/api/subjects/search")).fleet).toEqual(subjects[1]?.fleet);
  });

  test("an unknown one is a 404 that lists the ids there are", async () => {
    const { status, json } = await running.call("/api/subjects/nobody");
    expect(status).toBe(404);
    expect(errorView.parse(json).error).toMatchObject({
      param: "id",
      message: expect.stringContaining("support, search"),
    });
  });
});

describe("verdicts", () => {
  test("are given newest first, of one subject where one is asked for", async () => {
    const { verdicts } = verdictPage.parse(await get("/api/verdicts?subject=support"));
    expect(verdicts.map(({ position, severity }) => ({ position, severity }))).toEqual([
      { position: 10, severity: "ticket" },
      { position: 9, severity: "none" },
    ]);
  });
});

describe("observations", () => {
  test("pages give every row once, newest first, and the last one says so", async () => {
    const seen: number[] = [];
    let before: number | null = null;
    do {
      const cursor: string = before === null ? "" : `&before=${before}`;
      const page = observationPage.parse(await get(`/api/observations?limit=3${cursor}`));
      expect(page.observations.length).toBeLessThanOrEqual(3);
      seen.push(...page.observations.map(({ position }) => position));
      before = page.next;
    } while (before !== null);
    expect(seen).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
  });

  test("a page that ends exactly at the last row is the last one", async () => {
    expect(observationPage.parse(await get("/api/observations?limit=8")).next).toBeNull();
  });

  test.each([
    ["subject=search", [8]],
    ["experiment=two-descriptions", [8]],
    ["arm=forked", [8]],
    ["outcome=refused", [8]],
    ["subject=support&arm=forked", []],
    ["harmful=true", [7]],
    ["harmful=false&limit=1", [8]],
  ])("%s filters", async (query, positions) => {
    const page = observationPage.parse(await get(`/api/observations?${query}`));
    expect(page.observations.map(({ position }) => position)).toEqual(positions);
  });

  test.each(["/api/observations", "/api/observations/1"])(
    "%s does not tell what was said, even where the log holds it",
    async (path) => {
      const { text } = await running.call(path);
      expect(text).not.toContain("what the model said");
      expect(text).not.toContain('"content"');
    },
  );

  test("one row comes with its place in the chain", async () => {
    const row = observationDetail.parse(await get("/api/observations/8"));
    expect(row).toMatchObject({ position: 8, subject: "search", chain: { hash: "hash-8", previous: "hash-7" } });
    expect(row.contentKept).toBe(true);
  });

  test("what was said is for the holder of the token, where it was kept", async () => {
    const path = "/api/observations/1/content";
    expect((await running.call(path)).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    expect((await running.call(path, { headers })).json).toEqual({ position: 1, content: "what the model said" });
    const { status, json } = await running.call("/api/observations/7/content", { headers });
    expect({ status, message: errorView.parse(json).error.message }).toEqual({
      status: 404,
      message: "no text was kept of this row",
    });
  });

  test.each([
    ["0", 400],
    ["first", 400],
    ["9", 404],
    ["99", 404],
  ])("position %s is refused with %d", async (position, status) => {
    const answer = await running.call(`/api/observations/${position}`);
    expect({ status: answer.status, param: errorView.parse(answer.json).error.param }).toEqual({
      status,
      param: "position",
    });
  });

  test.each([
    ["limit=0", "limit", "at least 1"],
    ["limit=501", "limit", "at most 500"],
    ["limit=ten", "limit", "whole number from 1 to 500"],
    ["limit=1e2", "limit", "whole number from 1 to 500"],
    ["limit=3&limit=4", "limit", "give it once"],
    ["before=-1", "before", "whole number"],
    ["arm=left", "arm", "fresh, forked, resample, live, placebo"],
    ["outcome=fine", "outcome", "scored, refused, unparseable, error"],
    ["harmful=yes", "harmful", "true, false"],
    ["experiment=E1", "experiment", "harmfulness, self-assessment"],
    ["colour=red", "colour", "unknown field colour"],
  ])("%s is refused with the parameter and the fix", async (query, param, fix) => {
    const { status, json } = await running.call(`/api/observations?${query}`);
    const { error } = errorView.parse(json);
    expect({ status, param: error.param, code: error.code }).toEqual({ status: 400, param, code: "invalid_value" });
    expect(error.message).toContain(fix);
  });

  test("a filter by an unknown subject is a 404, not an empty page", async () => {
    const { status, json } = await running.call("/api/observations?subject=nobody");
    expect({ status, param: errorView.parse(json).error.param }).toEqual({ status: 404, param: "subject" });
  });
});

test("the trace of a subject has null where evidence is not finite", async () => {
  const interval = { lower: 0, estimate: 0.1, upper: 0.3, n: 12 };
  running.world.trace = [
    {
      position: 4,
      at: 1,
      persona: "aligned",
      severity: "none",
      calibrating: false,
      harmRate: interval,
      selfReport: interval,
      evidence: { harm: 2, "says-aligned": Number.NEGATIVE_INFINITY, "says-misaligned": 0, "self-report-drift": 1 },
    },
  ];
  const { subject, points } = traceView.parse(await get("/api/subjects/support/trace"));
  expect(subject).toBe("support");
  expect(points[0]).toMatchObject({ position: 4, evidence: { harm: 2, "says-aligned": null } });
  expect((await running.call("/api/subjects/nobody/trace")).status).toBe(404);
});

describe("the rest", () => {
  test("the version says what runs", async () => {
    expect(versionView.parse(await get("/api/version"))).toEqual({
      version: "9.9.9",
      node: process.versions.node,
      replica: "local",
    });
  });

  test("metrics come as the exposition format", async () => {
    const { text, headers } = await running.call("/metrics");
    expect(text).toBe("candor_up 1\n");
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("every path in the index is served", async () => {
    const { endpoints } = (await get("/")) as { endpoints: string[] };
    expect(endpoints.length).toBeGreaterThan(8);
    for (const endpoint of endpoints) {
      const [method = "", path = ""] = endpoint.split(" ");
      // The events never end: their own tests listen to them.
      const sent = path === "/api/events" ? "HEAD" : method;
      const position = path.startsWith("/api/decisions") ? decided : 1;
      const filled = path.replace(":id", "support").replace(":position", `${position}`);
      const { status } = await running.call(filled, { method: sent });
      expect(status, endpoint).not.toBe(404);
      expect(status, endpoint).not.toBe(405);
    }
  });

  test("HEAD is answered like GET, without a body", async () => {
    const { status, text } = await running.call("/api/subjects", { method: "HEAD" });
    expect({ status, text }).toEqual({ status: 200, text: "" });
  });
});
