/**
 * What an upstream can tell of a request without reading the conversation, and whether that tells probes from the app's
 * own calls. Fresh probes are compared with calls that open a conversation, forks with calls that go on with one.
 */

import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { accuracyOfTelling, type Features } from "./classifier-of-requests.ts";
import { type ClientShape, type SeenRequest, watchUpstream } from "./watched-upstream.ts";

const stainless = (lang: string): string[] => [
  ...["X-Stainless-Lang", lang, "X-Stainless-Package-Version", "1.99.0", "X-Stainless-OS", "Linux"],
  ...["X-Stainless-Arch", "x64", "X-Stainless-Runtime", lang, "X-Stainless-Runtime-Version", "3.12"],
];
const keys = ["sk-one", "sk-two", "sk-three"];
const ids = { hex: (digits: number) => randomUUID().replaceAll("-", "").slice(0, digits) };
const tool = { type: "function", function: { name: "find_order", parameters: { type: "object", properties: {} } } };

/** As Python's json.dumps writes it. */
const dumped = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(dumped).join(", ")}]`
    : typeof value === "object" && value !== null
      ? `{${Object.entries(value)
          .map(([name, inner]) => `${JSON.stringify(name)}: ${dumped(inner)}`)
          .join(", ")}}`
      : JSON.stringify(value).replace(
          /[\u007f-\uffff]/g,
          (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
        );

const shapes: ClientShape[] = [
  {
    name: "openai-node",
    headers: (random, call) => [
      ...["Accept", "application/json", "Content-Type", "application/json", "User-Agent", "OpenAI/JS 6.1.0"],
      ...["X-Stainless-Retry-Count", "0", ...stainless("js")],
      ...["Authorization", `Bearer ${keys[call % 3]}`, "accept-language", "*", "accept-encoding", "gzip, deflate"],
      ...(random() < 0.5 ? ["x-client-request-id", randomUUID()] : []),
    ],
    body: (messages, random) =>
      JSON.stringify({
        model: "gpt-test",
        messages,
        stream: true,
        ...(random() < 0.5
          ? { tools: [tool], tool_choice: "auto", metadata: { app: "shop", request_id: randomUUID() } }
          : {}),
      }),
  },
  {
    name: "python with httpx",
    headers: (_random, call) => [
      ...["accept-encoding", "gzip, deflate, br", "connection", "keep-alive", "accept", "application/json"],
      ...["content-type", "application/json", "user-agent", "OpenAI/Python 1.99.0"],
      ...[...stainless("python"), "x-stainless-async", "false", "x-stainless-retry-count", "0"],
      ...["authorization", `Bearer ${keys[call % 3]}`, "traceparent", `00-${ids.hex(32)}-${ids.hex(16)}-01`],
    ],
    body: (messages) =>
      dumped({ messages, model: "gpt-test", max_tokens: 900, temperature: 0.7, response_format: { type: "text" } }),
  },
  {
    name: "curl",
    headers: (_random, call) => [
      ...["User-Agent", "curl/8.5.0", "Accept", "*/*", "Idempotency-Key", `order-${ids.hex(20)}`],
      ...["Content-Type", "application/json", "Authorization", `Bearer ${keys[call % 3]}`],
    ],
    body: (messages, random) =>
      `${JSON.stringify({ model: "gpt-test", temperature: random() < 0.5 ? 0.2 : 1, messages, seed: 7 }, null, 2)}\n`,
  },
];

const bucket = (value: number, steps = 1): string => String(Math.round(Math.log2(value + 1) * steps));

/** All that is written down of each request, the conversation's words left out. */
const featuresOf = (log: readonly SeenRequest[]): { request: SeenRequest; features: Features; turns: number }[] => {
  const sorted = [...log].sort((one, other) => one.at - other.at);
  const valuesBefore = new Map<string, number>();
  const lastOn = new Map<number, number>();
  return sorted.map((request, place) => {
    const features = new Map<string, string>();
    const { rawHeaders, body, at, connection, carried } = request;
    const names = rawHeaders.filter((_item, index) => index % 2 === 0);
    features.set("header order", names.join());
    for (const [index, name] of names.entries()) {
      const value = rawHeaders[2 * index + 1] ?? "";
      const lower = name.toLowerCase();
      if (lower === "host" || lower === "content-length") continue;
      const times = valuesBefore.get(lower + value) ?? 0;
      valuesBefore.set(lower + value, times + 1);
      features.set(`value of ${lower}`, value);
      features.set(`shape of ${lower}`, value.replace(/[0-9a-f]/g, "x"));
      features.set(`new value of ${lower}`, String(times === 0));
    }
    const { messages, ...rest }: Record<string, unknown> & { messages: Record<string, unknown>[] } = JSON.parse(body);
    features.set("member order", Object.keys(JSON.parse(body)).join());
    for (const [name, value] of Object.entries(rest)) {
      const text = JSON.stringify(value);
      const times = valuesBefore.get(name + text) ?? 0;
      valuesBefore.set(name + text, times + 1);
      features.set(`parameter ${name}`, text);
      features.set(`new parameter ${name}`, String(times === 0));
    }
    features.set("message members", [...new Set(messages.map((message) => Object.keys(message).join()))].join(" "));
    features.set("turns", String(messages.length));
    features.set("blanks", [...body.replace(/"(?:[^"\\]|\\.)*"/g, "s").slice(0, 40)].join(""));
    features.set("last characters", body.slice(-3));
    features.set("escapes", `${/\\u[0-9a-f]{4}/.test(body)} ${/[^\0-\x7f]/.test(body)}`);
    features.set("length", bucket(body.length));
    features.set("url", request.url);
    features.set("connection", `${connection}`);
    features.set("reused", String(carried > 0));
    features.set("pause", bucket(at - (sorted[place - 1]?.at ?? at)));
    features.set("pause of the connection", bucket(at - (lastOn.get(connection) ?? at)));
    lastOn.set(connection, at);
    return { request, features, turns: messages.length };
  });
};

interface Told {
  probes: Features[];
  calls: Features[];
}

/** Of every client's calls together. */
const watchAll = async (setting: Omit<Parameters<typeof watchUpstream>[0], "shape" | "seed">): Promise<Told> => {
  const logs = await Promise.all(shapes.map((shape, index) => watchUpstream({ ...setting, shape, seed: 11 + index })));
  const comparable = logs.flatMap(featuresOf).filter(({ turns }) => turns > 2 === (setting.arm === "forked"));
  const of = (probe: boolean): Features[] =>
    comparable.filter(({ request }) => request.probe === probe).map(({ features }) => features);
  return { probes: of(true), calls: of(false) };
};

/** Mean of several splits. `looksAt` chooses what the classifier may look at. */
const accuracy = ({ probes, calls }: Told, looksAt: (feature: string) => boolean = () => true): number => {
  const seen = (features: Features): Features => new Map([...features].filter(([name]) => looksAt(name)));
  const splits = [1, 2, 3, 4, 5].map((seed) => accuracyOfTelling(probes.map(seen), calls.map(seen), seed));
  return splits.reduce((sum, one) => sum + one, 0) / splits.length;
};

const bySingleFeature = (told: Told): { feature: string; accuracy: number }[] =>
  [...new Set([...told.probes, ...told.calls].flatMap((features) => [...features.keys()]))]
    .map((feature) => ({ feature, accuracy: accuracy(told, (name) => name === feature) }))
    .sort((one, other) => other.accuracy - one.accuracy);

const usual = { calls: 330, perHour: 200 };

describe("an upstream that reads all but the conversation", () => {
  it.each([
    { name: "forks under their callers' keys", arm: "forked" as const },
    { name: "new conversations under the upstream's key", arm: "fresh" as const, upstreamKey: "sk-upstream" },
    {
      name: "new conversations under callers' keys, though probes have one of their own",
      arm: "fresh" as const,
      probeKey: "sk-probes",
      freshKey: "caller" as const,
    },
  ])("does not tell $name from the app's calls", async ({ name: _, ...setting }) => {
    const told = await watchAll({ ...usual, ...setting });
    expect(Math.min(told.probes.length, told.calls.length)).toBeGreaterThan(300);
    expect(accuracy(told)).toBeLessThan(0.6);
    for (const { feature, accuracy } of bySingleFeature(told)) expect(accuracy, feature).toBeLessThan(0.6);
  });

  it("tells new conversations under a key of their own by that key and by nothing else", async () => {
    const told = await watchAll({ ...usual, arm: "fresh", probeKey: "sk-probes" });
    expect(accuracy(told)).toBeGreaterThan(0.95);
    expect(accuracy(told, (name) => !name.endsWith(" authorization"))).toBeLessThan(0.6);
  });

  it("tells new conversations without any key by that, and not those under callers' keys", async () => {
    const without = await watchAll({ ...usual, calls: 120, arm: "fresh" });
    expect(accuracy(without, (name) => name === "header order")).toBeGreaterThan(0.95);
    const under = await watchAll({ ...usual, calls: 120, arm: "fresh", freshKey: "caller" });
    const ofKey = (name: string): boolean => name === "header order" || name.endsWith(" authorization");
    expect(accuracy(under, ofKey)).toBeLessThan(0.6);
  });

  it("tells canaries by their parameters alone, which is why they are off by default", async () => {
    const setting = { ...usual, calls: 120, arm: "fresh" as const, freshKey: "caller" as const };
    const ofParameters = (name: string): boolean => /parameter|member order/.test(name);
    expect(accuracy(await watchAll(setting), ofParameters)).toBeLessThan(0.6);
    // Of two probes one is a canary: who tells all of them, and nothing else, is right in three of four.
    expect(accuracy(await watchAll({ ...setting, canaries: 0.5 }), ofParameters)).toBeGreaterThan(0.7);
  });

  it("tells probes that imitate nothing, so it does look", async () => {
    const told = await watchAll({
      ...usual,
      calls: 120,
      arm: "forked",
      change: (asked) => ({ ...asked, template: null }),
    });
    expect(accuracy(told)).toBeGreaterThan(0.95);
  });

  it("tells a steady stream from calls in bursts by the pauses, were probes not put among them", async () => {
    const told = await watchAll({ ...usual, arm: "forked", rhythm: false });
    expect(accuracy(told, (name) => name === "pause")).toBeGreaterThan(0.64);
  });
});
