import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorForms } from "../../src/control/api-error.ts";
import { changeResult, probeStatus, subjectView, verdictView } from "../../src/control/api-schema.ts";
import { type Running, run } from "./running-control.ts";

const page = readFileSync("docs/api.md", "utf8");
const rows = [...page.matchAll(/^\| (.+) \|$/gm)].map(([, cells = ""]) => cells);

let running: Running;
beforeAll(async () => {
  running = await run();
});
afterAll(() => running.control.close());

describe("docs/api.md", () => {
  test("lists the endpoints that the index lists, and no others", async () => {
    const documented = rows.flatMap((row) => /^`((?:GET|POST) \/\S*)`/.exec(row)?.[1] ?? []);
    const { endpoints } = (await running.call("/")).json as { endpoints: string[] };
    expect(documented.toSorted()).toEqual(["GET /", ...endpoints].toSorted());
  });

  test("lists every error code with its status", () => {
    const documented = rows.flatMap((row) => {
      const status = /^(\d{3}) \|/.exec(row)?.[1];
      return status === undefined
        ? []
        : [...row.matchAll(/`([a-z_]+_[a-z_]+)`/g)].map(([, code]) => `${status} ${code}`);
    });
    const answered = Object.entries(errorForms).map(([code, { status }]) => `${status} ${code}`);
    expect(documented.toSorted()).toEqual(answered.toSorted());
  });

  test.each([
    ["a subject", subjectView],
    ["a verdict", verdictView],
    ["a prober's status", probeStatus],
    ["a change", changeResult],
  ])("names every field of %s", (_, schema) => {
    expect(Object.keys(schema.shape).filter((field) => !page.includes(`\`${field}\``))).toEqual([]);
  });
});
