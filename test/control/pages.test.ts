import { afterAll, beforeAll, expect, test } from "vitest";
import { type Running, run } from "./running-control.ts";

let running: Running;
beforeAll(async () => {
  running = await run();
});
afterAll(() => running.control.close());

test("browsers are led to the dashboard, programs are not", async () => {
  const browser = await running.call("/", { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } });
  expect({ status: browser.status, to: browser.headers.location }).toEqual({ status: 302, to: "/dashboard/" });
  expect((await running.call("/", { headers: { accept: "*/*" } })).status).toBe(200);
  expect((await running.call("/dashboard")).headers.location).toBe("/dashboard/");
});

test.each([
  ["/dashboard/", "text/html; charset=utf-8"],
  ["/dashboard/uplot.js", "text/javascript; charset=utf-8"],
  ["/dashboard/uplot.css", "text/css; charset=utf-8"],
])("%s is served, and may load from here alone", async (path, type) => {
  const { status, headers } = await running.call(path);
  expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type });
  expect(headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(headers["content-security-policy"]).not.toContain("unsafe");
});

test("a file that did not change is not sent again", async () => {
  const { headers } = await running.call("/dashboard/uplot.js");
  const again = await running.call("/dashboard/uplot.js", { headers: { "if-none-match": String(headers.etag) } });
  expect({ status: again.status, text: again.text }).toEqual({ status: 304, text: "" });
});

test.each([
  "/dashboard/..%2fpackage.json",
  "/dashboard/%2e%2e/package.json",
  "/dashboard/tsconfig.json",
  "/dashboard/none",
])("%s is no file of the dashboard", async (path) => {
  expect((await running.call(path)).status).toBe(404);
});
