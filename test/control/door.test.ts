import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorView } from "../../src/control/api-schema.ts";
import { type Running, run, token } from "./running-control.ts";

let running: Running;
beforeAll(async () => {
  running = await run([], {
    metrics: {
      contentType: "text/plain",
      text: () => Promise.reject(new Error("secret detail at /home/someone/metrics.ts:1:2")),
    },
  });
});
afterAll(() => running.control.close());

describe("who may come in", () => {
  test.each([
    ["127.0.0.1:9090", 200],
    ["10.1.2.3:9090", 200],
    ["[::1]:9090", 200],
    ["localhost", 200],
    ["LOCALHOST:9090", 200],
    ["candor.internal:9090", 200],
    ["Candor.Internal", 200],
    ["attacker.example", 403],
    ["localhost.attacker.example", 403],
    ["127.0.0.1.attacker.example:9090", 403],
    ["user@localhost", 403],
    ["localhost/..", 403],
    ["localhost#", 403],
  ])("Host %s gets %i", async (host, status) => {
    expect((await running.call("/livez", { headers: { host } })).status).toBe(status);
  });

  test("a request without a Host is refused", async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(running.port, "127.0.0.1", () => socket.write("GET /livez HTTP/1.0\r\n\r\n"));
      let text = "";
      socket.on("data", (bytes) => (text += bytes));
      socket.on("end", () => resolve(text));
      socket.on("error", reject);
    });
    expect(answer.split("\r\n")[0]).toContain("403");
  });

  test.each([
    ["the page's own origin", { host: "localhost:9090", origin: "http://localhost:9090" }, 200],
    ["another port", { host: "localhost:9090", origin: "http://localhost:3000" }, 403],
    ["another name", { host: "127.0.0.1:9090", origin: "http://attacker.example" }, 403],
    ["an opaque origin", { host: "127.0.0.1:9090", origin: "null" }, 403],
  ])("a request from a page of %s", async (_, headers, status) => {
    expect((await running.call("/api/version", { headers })).status).toBe(status);
  });

  test("the token does not open the door to another origin", async () => {
    const { status, json } = await running.call("/api/subjects/support/epoch", {
      method: "POST",
      headers: { origin: "http://attacker.example", authorization: `Bearer ${token}` },
    });
    expect({ status, code: errorView.parse(json).error.code }).toEqual({ status: 403, code: "origin_not_allowed" });
  });
});

describe("what every answer has", () => {
  test.each(["/", "/livez", "/api/subjects", "/nowhere", "/metrics"])(
    "%s: security headers, no CORS, no product name",
    async (path) => {
      const { headers } = await running.call(path);
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "cache-control": "no-store",
      });
      expect(Object.keys(headers).filter((name) => /^access-control-|^x-powered-by$|^server$/.test(name))).toEqual([]);
    },
  );

  test("a handler that throws tells nothing of its inside to the client, and all to the log", async () => {
    const { status, text, json } = await running.call("/metrics");
    expect({ status, code: errorView.parse(json).error.code }).toEqual({ status: 500, code: "internal_error" });
    expect(text).not.toMatch(/secret detail|\.ts:/);
    expect(JSON.stringify(running.world.logged)).toContain("secret detail");
  });

  test.each(["/nowhere", "/api", "/api/", "/api/subjects/support/other", "/%ff", "/api/subjects/%ff"])(
    "%s is a 404 in the API's error form",
    async (path) => {
      const { status, json } = await running.call(path);
      expect({ status, code: errorView.parse(json).error.code }).toEqual({ status: 404, code: "not_found" });
    },
  );
});

describe("listening", () => {
  test("an address in use is an error, not a silence", async () => {
    const second = await run();
    await second.control.close();
    await expect(second.control.listen("127.0.0.1", running.port)).rejects.toThrow("EADDRINUSE");
  });

  test("closing twice, and closing with a connection left open, both end", async () => {
    const closing = await run();
    const socket = connect(closing.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const ended = new Promise((resolve) => socket.once("close", resolve));
    await Promise.all([closing.control.close(), closing.control.close()]);
    socket.destroy();
    await ended;
    await expect(closing.call("/livez")).rejects.toThrow("ECONNREFUSED");
  });
});
