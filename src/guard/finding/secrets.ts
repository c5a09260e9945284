/**
 * Finds keys, tokens and passwords by the forms that their issuers document.
 * Our own expressions, as scanners for repositories work on files, ask networks or guess by entropy alone.
 */
import { type Finder, findPattern, type Span } from "./finder.ts";

/** Letters of a token may not go on before or behind it. */
const alone = (body: string): string => String.raw`\b${body}\b`;

const word36 = "[A-Za-z0-9]{36}";

const forms = {
  "aws-access-key": alone("(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
  "aws-secret-key": String.raw`(?i)aws[a-z_ .-]{0,20}(?:secret|key)[a-z_ .-]{0,20}["']?\s{0,3}[:=]\s{0,3}["']?[A-Za-z0-9/+=]{40}`,
  "google-api-key": String.raw`\bAIza[A-Za-z0-9_-]{35}`,
  "google-oauth-secret": String.raw`\bGOCSPX-[A-Za-z0-9_-]{28}`,
  "azure-storage-key": "AccountKey=[A-Za-z0-9+/]{86}==",
  "azure-client-secret": String.raw`\b[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}`,
  "github-token": alone(`gh[pousr]_${word36}`),
  "github-fine-grained-token": alone("github_pat_[A-Za-z0-9]{22}_?[A-Za-z0-9]{59,60}"),
  "gitlab-token": String.raw`\bgl(?:pat|ptt|dt|rt|cbt|soat)-[A-Za-z0-9_-]{20,40}`,
  "slack-token": String.raw`\bxox[abeoprs]-[A-Za-z0-9-]{10,250}`,
  "slack-webhook": String.raw`https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/+]{40,60}`,
  "stripe-key": alone("(?:sk|rk)_live_[A-Za-z0-9]{16,247}"),
  "twilio-key": alone("SK[0-9a-f]{32}"),
  "sendgrid-key": String.raw`\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}`,
  "mailgun-key": alone("key-[0-9a-z]{32}"),
  "npm-token": alone(`npm_${word36}`),
  "pypi-token": String.raw`\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,200}`,
  "openai-key": String.raw`\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,180}T3BlbkFJ[A-Za-z0-9_-]{20,180}`,
  "anthropic-key": String.raw`\bsk-ant-(?:api|admin|sid)[0-9]{2}-[A-Za-z0-9_-]{80,120}`,
  "hugging-face-token": alone("hf_[A-Za-z]{34}"),
  "databricks-token": alone("dapi[0-9a-f]{32}(?:-[0-9])?"),
  "digitalocean-token": alone("do[oprt]_v1_[0-9a-f]{64}"),
  "shopify-token": alone("shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
  "square-token": String.raw`\b(?:EAAA[A-Za-z0-9_-]{60}|sq0(?:atp|csp)-[A-Za-z0-9_-]{22,43})`,
  "telegram-bot-token": String.raw`\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}`,
  "discord-token": String.raw`\b[MNO][A-Za-z0-9]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}`,
  "grafana-token": alone("glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}"),
  jwt: String.raw`\beyJ[A-Za-z0-9_-]{8,900}\.eyJ[A-Za-z0-9_-]{8,900}[A-Za-z0-9_-]{0,900}\.[A-Za-z0-9_-]{16,700}`,
  "url-password": String.raw`(?i)\b(?:https?|s?ftp|ssh|postgres(?:ql)?(?:\+[a-z0-9]{1,20})?|mysql(?:\+[a-z0-9]{1,20})?|mariadb|mssql|sqlserver|mongodb(?:\+srv)?|rediss?|amqps?|smtps?)://[^\s:/@"']{0,100}:[^\s/@"']{3,200}@`,
  "password-assignment": String.raw`(?i)(?:password|passwd|pwd|secret(?:[_-]?key)?|api[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret)["']?\s{0,3}(?:=|:|=>|:=)\s{0,3}["'][^\s"']{8,200}["']`,
  // As files of settings and addresses have it, without quotes.
  "password-setting": String.raw`(?i)(?:password|passwd|pwd|secret|secret[_-]?key|api[_-]?key|access[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret)(?:=|: | = )[^\s"'\x60,;()<>{}\[\]]{8,200}`,
} as const;

type Form = keyof typeof forms;
export type SecretKind = Form | "private-key";
const isForm = (kind: string): kind is Form => kind in forms;
export const secretKinds: [SecretKind, ...SecretKind[]] = ["private-key", ...Object.keys(forms).filter(isForm)];

/** Bits per letter, by the letters' own frequencies (Shannon). */
const entropy = (text: string): number => {
  const counts = new Map<string, number>();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
};

/** Words that stand where a password would: examples, variables, masks. */
const placeholder =
  /^(?:[*x.•<>[\]{}$%_-]+|(?:your|my|the|example|test|dummy|changeme|placeholder|redacted|hunter2|password|secret|null|none|undefined|true|false)\b.*|.*\$\{.*|.*<[a-z_ -]+>.*|.*\{\{.*|\[.*\]|<.*>|\(.*\))$/i;
const assigned = (found: string): string => /["']([^"']*)["']$/.exec(found)?.[1] ?? found;

/** Names and paths of code and settings, which end in words and not in what somebody made up. */
const isReference =
  /^[$%@&*!]|\?\.|^(?:https?|file|env|vault|arn|op):|^[\w-]+(?:\.[A-Za-z_][\w-]*)+$|^[~.]?\/|^[A-Z][A-Z0-9_]+$|\.\.\./;
const isTypeName = /^[A-Z][A-Za-z]*[0-9]{0,3}[A-Z]?[A-Za-z]*$/;
/** Of small letters, capitals, digits and signs. */
const kindsOfLetters = (text: string): number =>
  [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(text)).length;

const checks: Partial<Record<Form, (found: string, before: string, next: string) => boolean>> = {
  "password-assignment": (found) => {
    const value = assigned(found);
    return !placeholder.test(value) && entropy(value) >= 2.8;
  },
  "password-setting": (found, _before, next) => {
    const value = found.slice(found.search(/[=:]/) + 1).trimStart();
    // Code: a call, a field of something, a part of a template.
    if (/^[([{<]/.test(next) || isReference.test(value)) return false;
    if (!found.endsWith(`=${value}`) && isTypeName.test(value)) return false;
    return !placeholder.test(value) && kindsOfLetters(value) >= 3 && entropy(value) >= 3;
  },
  "aws-secret-key": (found) => entropy(found.slice(-40)) >= 4,
  "url-password": (found) => !placeholder.test(found.slice(found.lastIndexOf(":") + 1, -1)),
  jwt: (found) => {
    try {
      return "alg" in JSON.parse(Buffer.from(found.split(".")[0] ?? "", "base64url").toString());
    } catch {
      return false;
    }
  },
};

const keyBegins = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;
const keyEnds = /-----END [A-Z0-9 ]{0,60}-----/g;

/** Without its end the rest of the text goes: how much of it is key can't be told. */
const privateKey: Finder = {
  longest: null,
  opening: /-----BEGIN /g,
  literals: ["-----begin "],
  rotatedLiterals: [],
  overlaps: false,
  find(text, from) {
    const spans: Span[] = [];
    keyBegins.lastIndex = from;
    for (let begun = keyBegins.exec(text); begun !== null; begun = keyBegins.exec(text)) {
      keyEnds.lastIndex = keyBegins.lastIndex;
      const ended = keyEnds.exec(text);
      const end = ended === null ? text.length : keyEnds.lastIndex;
      spans.push({ start: begun.index, end, matcher: "secret:private-key" });
      keyBegins.lastIndex = end;
    }
    return spans;
  },
};

export const findSecrets = (kinds: readonly SecretKind[]): Finder[] =>
  kinds.map((kind) => {
    if (kind === "private-key") return privateKey;
    const isMeant = checks[kind];
    return findPattern(forms[kind], { matcher: `secret:${kind}`, ...(isMeant === undefined ? {} : { isMeant }) });
  });
