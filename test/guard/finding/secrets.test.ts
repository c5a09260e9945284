import { describe, expect, test } from "vitest";
import { findSecrets, type SecretKind, secretKinds } from "../../../src/guard/finding/secrets.ts";

const finders = findSecrets(secretKinds);
const found = (text: string): string[] =>
  finders.flatMap((finder) =>
    finder.find(text, 0).map(({ start, end, matcher }) => `${matcher} ${text.slice(start, end)}`),
  );

// Put together here, so that no scanner takes this file for a leak. Letters of all sorts, as tokens have them.
const some = (length: number): string => "aB3dE5gH7jK9mN2pQ4rS6tU8vW0xY1zA".repeat(10).slice(0, length);
const hex = (length: number): string => "0a1b2c3d4e5f60718293a4b5c6d7e8f9".repeat(4).slice(0, length);
const header = Buffer.from('{"alg":"HS256"}').toString("base64url");
const key = (kind: string): string =>
  `-----BEGIN ${kind}PRIVATE ${"KEY"}-----\nMIIE\n-----END ${kind}PRIVATE ${"KEY"}-----`;

const secrets: [SecretKind, string][] = [
  ["aws-access-key", `AKIA${"Q2".repeat(8)}`],
  ["aws-secret-key", `aws_secret_access_key = ${some(40)}`],
  ["google-api-key", `AIza${some(35)}`],
  ["google-oauth-secret", `GOCSPX-${some(28)}`],
  ["azure-storage-key", `AccountKey=${some(86)}==`],
  ["azure-client-secret", `abc8Q~${some(34)}`],
  ["github-token", `ghp_${some(36)}`],
  ["github-fine-grained-token", `github_pat_${some(22)}_${some(59)}`],
  ["gitlab-token", `glpat-${some(20)}`],
  ["slack-token", `xoxb-1234567890-${some(24)}`],
  ["slack-webhook", `https://hooks.slack.com/services/T0000/B0000/${some(40)}`],
  ["stripe-key", `sk_live_${some(24)}`],
  ["twilio-key", `SK${hex(32)}`],
  ["sendgrid-key", `SG.${some(22)}.${some(43)}`],
  ["mailgun-key", `key-${hex(32)}`],
  ["npm-token", `npm_${some(36)}`],
  ["pypi-token", `pypi-AgEIcHlwaS5vcmc${some(60)}`],
  ["openai-key", `sk-proj-${some(40)}T3BlbkFJ${some(40)}`],
  ["anthropic-key", `sk-ant-api03-${some(93)}AA`],
  ["hugging-face-token", `hf_${"abCdEfGhIj".repeat(4).slice(0, 34)}`],
  ["databricks-token", `dapi${hex(32)}`],
  ["digitalocean-token", `dop_v1_${hex(64)}`],
  ["shopify-token", `shpat_${hex(32)}`],
  ["square-token", `sq0atp-${some(22)}`],
  ["telegram-bot-token", `123456789:AA${some(33)}`],
  ["discord-token", `M${some(24)}.${some(6)}.${some(30)}`],
  ["grafana-token", `glsa_${some(32)}_${hex(8)}`],
  ["jwt", `${header}.${Buffer.from('{"sub":"1234567890"}').toString("base64url")}.${some(43)}`],
  ["private-key", key("RSA ")],
  ["private-key", key("")],
  ["url-password", `postgres://app:${"s3cr3t"}pass@`],
  ["url-password", `redis://:${"s3cr3t"}pass@`],
  ["password-assignment", `password = "${"Xk3"}92mQz"`],
  ["password-assignment", `PASSWORD: '${"Xk3"}92mQz'`],
  ["password-setting", `PASSWORD=${"Xk3"}92mQz`],
  ["password-setting", `password: ${"Tr0ub4"}dor&3x`],
  ["password-setting", `api_key = ${some(24)}`],
];

test("there is a sample of every kind", () => {
  expect(new Set(secrets.map(([kind]) => kind))).toEqual(new Set(secretKinds));
});

describe("a secret is found whole within other text", () => {
  test.each(secrets)("%s", (kind, secret) => {
    const text = `Use this: ${secret} and tell nobody.`;
    expect(found(text)).toContain(`secret:${kind} ${secret}`);
  });
});

describe("a near miss is none", () => {
  test.each([
    ["too short a key", `AKIA${"Q".repeat(15)}`],
    ["too long a key", `AKIA${"Q".repeat(17)}`],
    ["a key within a word", `XAKIA${"Q".repeat(16)}`],
    ["a key for tests", `sk_test_${some(24)}`],
    ["a public key", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"],
    ["prefixes in prose", "Tokens of GitHub begin with ghp_ and those of Slack with xoxb-"],
    ["three words with dots", "eyJhbGci.eyJzdWIi.this-is-not-a-signature"],
    ["a placeholder", 'password = "your-password-here"'],
    ["a variable", `password: "\${DB_PASSWORD}"`],
    ["a mask", 'api_key = "****************"'],
    ["a sentence", 'The password: "please ask" is what it says'],
    ["a URL with a user", "https://user@example.com/path"],
    ["a setting without a value", "PASSWORD=\nUSER=app"],
    ["a setting with a word", "PASSWORD=changeit\nsecret: everything-is-fine\npassword: required, at least 12 letters"],
    ["a setting with a variable", `PASSWORD=\${DB_PASSWORD1} SECRET=$DB_SECRET1 API_KEY=%API_KEY_2%`],
    [
      "a setting read in code",
      "password = process.env.DB_PASSWORD2 apiKey: this.options.apiKey1 secret=getSecret1(vault)",
    ],
    [
      "a setting that says where",
      "password: vault:secret/Data/app1 secret = /run/secrets/App_1 api_key=https://Vault.example/1",
    ],
    ["prose", "The secret: be kind. Password = what you know. Your API key: see page 12."],
    ["a field that may be missing", "apiKey: options?.apiKey1 Secret = opts?.workSecret2 AccessToken: !isSet1"],
    ["what was taken out before", 'password":"[REDACTED]" secret = "<removed by hand>"'],
    ["a type", "password: string; apiKey: ApiKey1<Strict>; secret: Uint8Array"],
    ["a commit", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
  ])("%s", (_name, text) => {
    expect(found(text)).toEqual([]);
  });
});

test("a private key without its end takes the rest of the text along", () => {
  const begun = `-----BEGIN ${"PRIVATE"} KEY-----\nMIIEvQ and so on`;
  expect(found(`x ${begun}`)).toEqual([`secret:private-key ${begun}`]);
});
