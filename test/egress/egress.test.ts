import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configSchema, type Upstream } from "../../src/config/schema.ts";
import { createEgress, type Egress } from "../../src/egress/egress.ts";

let servers: Server[] = [];
let egresses: Egress[] = [];
let seen: { port: number; method: string; url: string; headers: IncomingHttpHeaders; body: string }[] = [];

beforeEach(() => {
  servers = [];
  egresses = [];
  seen = [];
});
afterEach(async () => {
  await Promise.all(egresses.map((egress) => egress.close()));
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

const listen = async (answer: { status?: number; headers?: Record<string, string> } = {}): Promise<number> => {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      seen.push({ port: (server.address() as AddressInfo).port, method, url, headers, body });
      response.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
      response.end(JSON.stringify({ choices: [{ message: { content: "hi" } }] }));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return (server.address() as AddressInfo).port;
};

const upstreamsOf = (upstreams: Partial<Upstream>[]): Upstream[] =>
  configSchema.parse({ upstreams, subjects: [{ id: "s", models: ["m"] }] }).upstreams;

const open = (baseUrl: string, settings: Partial<Upstream> = {}): Egress => {
  const egress = createEgress(upstreamsOf([{ id: "main", baseUrl, ...settings }]));
  egresses.push(egress);
  return egress;
};

describe("the way to an upstream", () => {
  const exit = () => open("http://llm.example:8000/base/v1/").exit("main");

  it.each([
    ["/chat/completions", "", "/base/v1/chat/completions"],
    ["/models/org%2Fname", "?a=1%202&b='", "/base/v1/models/org%2Fname?a=1%202&b='"],
    ["//elsewhere.example/x", "", "/base/v1//elsewhere.example/x"],
    ["/@elsewhere.example", "", "/base/v1/@elsewhere.example"],
  ])("keeps %s%s below the base URL", (path, search, full) => {
    expect(exit().pathOf(path, search)).toBe(full);
  });

  it.each([
    ["/../admin", ""],
    ["/x/%2e%2e/%2e%2e/admin", ""],
    ["/x\\y", ""],
    ["/x#y", ""],
    ["/x", "?y#z"],
    ["/x y", ""],
    ["/x\ty", ""],
    ["/x?y", ""],
    ["@elsewhere.example/x", ""],
    [".elsewhere.example/x", ""],
    [":1/x", ""],
  ])("refuses what would lead elsewhere or change on the way: %j %j", (path, search) => {
    const bare = open("http://llm.example:8000").exit("main");
    for (const way of [exit(), bare]) {
      expect(() => way.pathOf(path, search)).toThrow("the path leads out of the configured base URL");
    }
  });

  it("exists for configured upstreams only", () => {
    const egress = open("http://llm.example");
    expect(() => egress.exit("other")).toThrow('no upstream has the id "other"');
    expect(() => egress.fetchFor("other")).toThrow('no upstream has the id "other"');
  });
});

describe("fetchFor", () => {
  it("serves the openai package, with headers that relayed traffic has too", async () => {
    const port = await listen();
    const baseURL = `http://127.0.0.1:${port}/v1`;
    const client = new OpenAI({ baseURL, apiKey: "sk-probe", fetch: open(baseURL).fetchFor("main"), maxRetries: 0 });
    const answer = await client.chat.completions.create({
      model: "m",
      messages: [{ role: "user", content: "Grüezi" }],
    });
    expect(answer.choices[0]?.message.content).toBe("hi");
    const [request] = seen;
    expect(JSON.parse(request?.body ?? "")).toMatchObject({ messages: [{ content: "Grüezi" }] });
    expect(request?.headers.authorization).toBe("Bearer sk-probe");
    expect(request?.headers["content-length"]).toBe(String(Buffer.byteLength(request?.body ?? "")));
    expect(Object.keys(request?.headers ?? {}).filter((name) => name.startsWith("sec-"))).toEqual([]);
  });

  it.each([[undefined], ["de-CH"], ["*"]])(
    "sends the language %s that it was asked for, and none of its own",
    async (language) => {
      const port = await listen();
      const fetchBound = open(`http://127.0.0.1:${port}/v1`).fetchFor("main");
      const headers: Record<string, string> = language === undefined ? {} : { "Accept-Language": language };
      await fetchBound(`http://127.0.0.1:${port}/v1/models`, { headers });
      expect(seen[0]?.headers["accept-language"]).toBe(language);
    },
  );

  it("reaches another configured base URL, such as a judge's", async () => {
    const port = await listen();
    const judge = `http://127.0.0.1:${port}/v1`;
    const response = await open("http://llm.example").fetchFor(judge)(`${judge}/models`);
    expect(response.status).toBe(200);
  });

  it("refuses every other origin, and nothing is sent there", async () => {
    const port = await listen();
    const elsewhere = await listen();
    const fetchBound = open(`http://127.0.0.1:${port}/v1`).fetchFor("main");
    for (const url of [
      `http://127.0.0.1:${elsewhere}/v1/models`,
      `http://localhost:${port}/v1/models`,
      `https://127.0.0.1:${port}/v1/models`,
      `http://127.0.0.1:${port}@127.0.0.1:${elsewhere}/v1/models`,
    ]) {
      await expect(fetchBound(url), url).rejects.toThrow();
    }
    expect(seen).toEqual([]);
  });

  it.each(["elsewhere", "itself"])("follows no redirect to %s", async (to) => {
    const elsewhere = await listen();
    const location = to === "itself" ? "/v1/models" : `http://127.0.0.1:${elsewhere}/v1/models`;
    const port = await listen({ status: 307, headers: { location } });
    const fetchBound = open(`http://127.0.0.1:${port}/v1`).fetchFor("main");
    await expect(fetchBound(`http://127.0.0.1:${port}/v1/models`, { redirect: "follow" })).rejects.toThrow();
    expect(seen).toHaveLength(1);
    expect(seen[0]?.port).toBe(port);
  });

  it("cannot be given another dispatcher", async () => {
    const port = await listen();
    const elsewhere = await listen();
    const fetchBound = open(`http://127.0.0.1:${port}/v1`).fetchFor("main");
    const init: object = { dispatcher: { dispatch: () => expect.unreachable() } };
    await expect(fetchBound(`http://127.0.0.1:${elsewhere}/`, init)).rejects.toThrow();
    expect(seen).toEqual([]);
  });
});

describe("postFor", () => {
  const never = new AbortController().signal;
  const posting = (headers: string[], body = "{}") => ({ path: "/chat/completions", search: "?a=1", headers, body });

  it("sends names, order and values as given, adds nothing, and drops what relayed traffic would not carry", async () => {
    const raw: string[][] = [];
    const server = createServer((request, response) => {
      raw.push(request.rawHeaders);
      request.resume().on("end", () => response.writeHead(201, { "X-Two": "b" }).end(request.url));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const post = open(`http://127.0.0.1:${port}/v1`).postFor("main");
    const headers = ["X-Stainless-Lang", "js", "cookie", "c=1", "ACCEPT", "*/*", "host", "elsewhere.example"];
    const { status, headers: answered, body } = await post(posting(headers, "é"), never);
    expect([status, answered.get("x-two"), String(body)]).toEqual([201, "b", "/v1/chat/completions?a=1"]);
    expect(raw[0]).toEqual([
      ...["host", `127.0.0.1:${port}`, "connection", "keep-alive"],
      ...["X-Stainless-Lang", "js", "ACCEPT", "*/*", "content-length", "2"],
    ]);
  });

  it("refuses to leave the base URL", async () => {
    const post = open("http://127.0.0.1:1/v1").postFor("main");
    await expect(post({ ...posting([]), path: "/../admin" }, never)).rejects.toThrow("leads out");
  });

  it("rejects without a connection, when it breaks, and at once when aborted before or during the call", async () => {
    const nowhere = open("http://127.0.0.1:1/v1").postFor("main");
    await expect(nowhere(posting([]), never)).rejects.toThrow();
    await expect(nowhere(posting([]), AbortSignal.abort())).rejects.toThrow("aborted");
    const abort = new AbortController();
    let calls = 0;
    const server = createServer((request, response) => {
      calls += 1;
      response.write("begun");
      if (calls === 1) request.socket.destroy();
      else abort.abort();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const post = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).postFor("main");
    await expect(post(posting([]), never)).rejects.toThrow();
    await expect(post(posting([]), abort.signal)).rejects.toThrow("aborted");
  });

  it("does not follow redirects, nor read without end", async () => {
    const port = await listen({ status: 302, headers: { location: "http://127.0.0.1:1/" } });
    expect((await open(`http://127.0.0.1:${port}/v1`).postFor("main")(posting([]), never)).status).toBe(302);
    const server = createServer((_request, response) => void response.end(Buffer.alloc(9 * 1024 * 1024)));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const post = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).postFor("main");
    await expect(post(posting([]), never)).rejects.toThrow("too long");
  });
});
