import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Carrier } from "../../src/dialect/carriers.ts";
import { createGuard } from "../../src/guard/create-guard.ts";
import { loadPolicies } from "../../src/guard/load-policies.ts";

const file = fileURLToPath(new URL("../../policies/secrets.yaml", import.meta.url));
const policies = await loadPolicies([file], []);

/** What of a text is left, under each of the policies. */
const left = (text: string): string[] =>
  policies.map((policy) => {
    const guard = createGuard({
      policies: [{ ...policy, replacement: "" }],
      personaOf: () => ({ persona: "aligned" }),
      ask: async () => null,
    }).begin({ id: "x", subject: "s", route: "chat", requestHeaders: {} });
    const carrier: Carrier = { kind: "message", role: "user", choice: null, tool: null, at: ["prompt"], text };
    const decision = guard?.[policy.stage === "request" ? "request" : "answer"]({
      carriers: [carrier],
      coverage: "full",
      gaps: [],
    });
    if (decision === undefined || decision instanceof Promise) throw new Error("it decides at once");
    let rest = text;
    for (const { start, end } of decision.edits.toReversed()) rest = rest.slice(0, start) + rest.slice(end);
    return rest;
  });

// Put together here, so that no scanner takes this file for a leak.
const begin = `-----BEGIN RSA ${"PRIVATE"} KEY-----`;
const end = `-----END RSA ${"PRIVATE"} KEY-----`;

test.each([
  ["an AWS access key", `AKIA${"Q".repeat(16)}`],
  ["a temporary AWS access key", `ASIA${"7".repeat(16)}`],
  ["a GitHub token", `ghp_${"a1".repeat(18)}`],
  ["a fine-grained GitHub token", `github_pat_${"a".repeat(82)}`],
  ["a Slack token", `xoxb-${"1".repeat(12)}-abc`],
  ["a Google key", `AIza${"x".repeat(35)}`],
  ["a Stripe key", `sk_live_${"a".repeat(24)}`],
  ["a private key with its header lines", `${begin}\nDEK-Info: AES-256-CBC,0A\n\nMIIE+/=\n${end}`],
  ["a private key with escaped lines", `${begin}\\nMIIE+/=\\n${end}`],
])("%s is removed whole", (_name, secret) => {
  expect(left(`here: ${secret} ok`)).toEqual(["here:  ok", "here:  ok"]);
});

test("a private key without its end takes the rest of the text along", () => {
  expect(left(`key ${begin}\nMIIE`)).toEqual(["key ", "key "]);
});

test.each([
  ["too short", `AKIA${"Q".repeat(15)}`],
  ["too long", `AKIA${"Q".repeat(17)}`],
  ["within a word", `XAKIA${"Q".repeat(16)}`],
  ["a test key", `sk_test_${"a".repeat(24)}`],
  ["a public key", `-----BEGIN ${"PUBLIC"} KEY-----\nMIIB`],
  ["a token's prefix in prose", "GitHub tokens begin with ghp_ and Slack's with xoxb-"],
])("a near miss stays: %s", (_name, text) => {
  expect(left(text)).toEqual([text, text]);
});
