/** Signatures, and that what docs/alerting.md tells receivers to do takes them and nothing else. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { signatureHeaders } from "../../src/notify/signature.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

it("a signature is that of the convention's own example", () => {
  const headers = signatureHeaders(secret, {
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    at: 1_614_265_330_999,
    body: '{"test": 2432232314}',
  });
  expect(headers).toEqual({
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

describe("the example for receivers", () => {
  type Verify = (secret: string, headers: Record<string, string>, body: string) => unknown;
  let verify: Verify;

  beforeAll(async () => {
    const page = await readFile("docs/alerting.md", "utf8");
    const example = /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
    const folder = await mkdtemp(join(tmpdir(), "candor-example-"));
    const file = join(folder, "verify.mjs");
    await writeFile(file, example);
    ({ verify } = (await import(pathToFileURL(file).href)) as { verify: Verify });
    await rm(folder, { recursive: true });
  });

  const body = '{"version":1}';
  const signed = (at = Date.now()) => signatureHeaders(secret, { id: "evt_1", at, body });

  it("takes what Candor signed", () => {
    expect(verify(secret, signed(), body)).toEqual({ version: 1 });
  });

  it.each([
    ["another body", signed(), '{"version":2}'],
    ["another id", { ...signed(), "webhook-id": "evt_2" }, body],
    ["another time", { ...signed(), "webhook-timestamp": String(Math.floor(Date.now() / 1000) - 60) }, body],
    ["an old message", signed(Date.now() - 3_600_000), body],
    ["no signature", { ...signed(), "webhook-signature": "" }, body],
  ])("refuses %s", (_, headers, received) => {
    expect(() => verify(secret, headers, received)).toThrow();
  });

  it("takes one of several signatures, as while a secret is being changed", () => {
    const headers = signed();
    const both = { ...headers, "webhook-signature": `v1,AAAA ${headers["webhook-signature"]}` };
    expect(verify(secret, both, body)).toEqual({ version: 1 });
  });
});
