import { describe, expect, it } from "vitest";
import { createRouteTable } from "../../src/relay/routes.ts";
import { rawExchange, runRelay } from "./running-relay.ts";

const table = createRouteTable(["/support"], ["/audio/*", "/moderations", "/*"]);
const narrow = createRouteTable(["/support"], []);

describe("the route table", () => {
  it.each([
    ["POST", "/v1/chat/completions", "chat", "", "/chat/completions", "", true],
    ["POST", "/support/v1/chat/completions", "chat", "/support", "/chat/completions", "", true],
    ["POST", "/v1/completions", "completions", "", "/completions", "", true],
    ["POST", "/v1/embeddings?api-version=1", "embeddings", "", "/embeddings", "?api-version=1", true],
    ["GET", "/v1/models", "models", "", "/models", "", false],
    ["HEAD", "/v1/models?", "models", "", "/models", "", false],
    ["GET", "/v1/models/ft:gpt-4o:org::abc", "models", "", "/models/ft:gpt-4o:org::abc", "", false],
    ["GET", "/v1/models/org%2Fname", "models", "", "/models/org%2Fname", "", false],
  ])("relays %s %s", (method, url, name, prefix, path, search, read) => {
    expect(narrow.find(method, url)).toEqual({ kind: "found", route: { name, prefix, path, search, read } });
  });

  it.each([
    ["POST", "/v1/audio/speech", "/audio/speech"],
    ["PUT", "/v1/moderations", "/moderations"],
    ["GET", "/v1/chat/completions", "/chat/completions"],
    ["DELETE", "/v1/files/file%20one", "/files/file%20one"],
  ])("passes a declared %s %s through unread", (method, url, path) => {
    expect(table.find(method, url)).toMatchObject({
      kind: "found",
      route: { name: "pass-through", path, read: false },
    });
  });

  it.each(["/V1/chat/completions", "/v2/chat/completions", "/other/v1/models", "/", "/v1", "/metrics", "/v1/files"])(
    "does not know %s",
    (url) => {
      expect(narrow.find("POST", url)).toEqual({ kind: "unknown" });
    },
  );

  it("answers a wrong method with the right one", () => {
    expect(narrow.find("DELETE", "/v1/models")).toEqual({ kind: "wrong-method", route: "models", allow: "GET, HEAD" });
  });

  it.each(["/v1/Chat/Completions", "/v1/CHAT/completions", "/v1/EMBEDDINGS"])(
    "never passes %s through unread, however wide the declared paths are",
    (url) => {
      expect(table.find("POST", url)).toEqual({ kind: "unknown" });
    },
  );
});

const hostile = [
  "/v1//chat/completions",
  "//v1/chat/completions",
  "/v1/chat/completions/",
  "/v1/chat%2Fcompletions",
  "/v1/chat%2fcompletions",
  "/v1/./chat/completions",
  "/v1/models/../chat/completions",
  "/v1/models/..",
  "/v1/models/.",
  "/v1/models/..%2Fchat%2Fcompletions",
  "/v1/models/x%2F..%2Fy",
  "/v1/models/%2e%2e/chat",
  "/v1/models/%2E%2E",
  "/v1/models/x%5C..%5Cy",
  "/v1/models/x%00",
  "/v1/models/x%0d%0aevil:1",
  "/v1/models/x%252Fy",
  "/v1/models/x%c0%afy",
  "/v1/models/x%ff",
  "/v1/models/x%zz",
  "/v1/chat;x=1/completions",
  "/v1/chat/completions;x",
  "/v1/..;/metrics",
  "/v1/ch%61t/completions",
  "/v1\\chat\\completions",
  "/v1/audio/x%2fy",
  "/v1/models/x#fragment",
  "http://elsewhere.example/v1/models",
  "https://elsewhere.example/v1/models",
  "*",
];

describe("paths that two servers could read differently", () => {
  it.each(hostile)("are not relayed: %s", (url) => {
    for (const method of ["GET", "POST"]) expect(table.find(method, url).kind).not.toBe("found");
  });

  it("get an error in OpenAI's shape, and never reach the upstream", async () => {
    const { port, upstream, refused } = await runRelay({ config: () => ({ relay: { passThrough: ["/*"] } }) });
    for (const url of [...hostile, "/v1/models/x y", "/v1/models/\u00e9"]) {
      const text = await rawExchange(port, `GET ${url} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
      expect(text, url).toMatch(/^HTTP\/1\.1 40[04] /);
      expect(JSON.parse(text.slice(text.indexOf("{"))), url).toEqual({
        error: {
          message: expect.any(String),
          type: "invalid_request_error",
          param: null,
          code: expect.stringMatching(/^(invalid_path|unknown_url|malformed_request)$/),
        },
      });
      expect(text, url).not.toContain("elsewhere");
    }
    expect(upstream.seen).toEqual([]);
    expect(new Set(refused.map(({ route }) => route))).toEqual(new Set(["other"]));
  });
});
