/** Makes the configuration's reference page and JSON Schema from the zod schema, so that they cannot disagree with it. */
import { configJsonSchema } from "../src/config/json-schema.ts";
import { policyJsonSchema } from "../src/guard/policy-json-schema.ts";

type Node = {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  properties?: Record<string, Node>;
  required?: string[];
  items?: Node;
  anyOf?: Node[];
};

const isLeaf = (node: Node): boolean => node.properties === undefined && node.items?.properties === undefined;

const kind = (node: Node): string => {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(" or ");
  if (node.anyOf !== undefined)
    return node.anyOf.map((form) => `\`{ ${Object.keys(form.properties ?? {}).join(", ")} }\``).join(" or ");
  if (node.type === "array") return `list of ${node.items?.type ?? "values"}`;
  return node.type ?? "value";
};

const range = (node: Node): string => {
  const low = node.minimum ?? (node.exclusiveMinimum === undefined ? undefined : `more than ${node.exclusiveMinimum}`);
  const high = node.maximum !== undefined && node.maximum < Number.MAX_SAFE_INTEGER ? node.maximum : undefined;
  if (low === undefined || low === Number.MIN_SAFE_INTEGER) return high === undefined ? "" : `at most ${high}`;
  return high === undefined ? `${typeof low === "number" ? "at least " : ""}${low}` : `${low} to ${high}`;
};

const row = (path: string, node: Node, required: boolean): string => {
  const fallback =
    node.default === undefined ? (required ? "**required**" : "") : `\`${JSON.stringify(node.default)}\``;
  const about = [node.description ?? "", range(node)].filter((text) => text !== "").join("; ");
  return `| \`${path}\` | ${kind(node)} | ${fallback} | ${about} |`;
};

const rows = (path: string, node: Node, required: boolean): string[] => {
  if (isLeaf(node)) return [row(path, node, required)];
  const inner = node.items?.properties === undefined ? node : node.items;
  const prefix = inner === node ? path : `${path}[]`;
  return Object.entries(inner.properties ?? {}).flatMap(([name, child]) =>
    rows(prefix === "" ? name : `${prefix}.${name}`, child, inner.required?.includes(name) ?? false),
  );
};

export const schemaText = (): string => `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
export const policySchemaText = (): string => `${JSON.stringify(policyJsonSchema(), null, 2)}\n`;

export const referencePage = (): string =>
  [
    "# Configuration",
    "",
    "One YAML file. Only `upstreams` and `subjects` are required; everything else has the default shown. Made from the schema by",
    "`node scripts/write-config-reference.ts`; editors that read the first line of the example complete and check as you type.",
    "",
    "```yaml",
    "# yaml-language-server: $schema=./docs/schema/candor.schema.json",
    "upstreams:",
    "  - id: main",
    "    baseUrl: https://api.openai.com/v1   # callers' own keys pass through; or name one: key: { env: OPENAI_API_KEY }",
    "subjects:",
    "  - id: support-bot",
    "    models: [gpt-4o-mini]                # as the app sends it",
    "    probes: { perHour: 12 }",
    "classify:",
    "  use: judge",
    "  judge: { baseUrl: https://api.openai.com/v1, model: gpt-4o, key: { env: JUDGE_KEY } }",
    "control:",
    "  token: { env: CANDOR_TOKEN }           # needed to acknowledge an alarm",
    "```",
    "",
    "`candor check FILE` validates a file and names every mistake with its line, path, value and fix. Keys never stand in the file:",
    "a field that takes a key takes `{ env: NAME }` or `{ file: PATH }`.",
    "",
    "| field | kind | default | meaning |",
    "|---|---|---|---|",
    ...rows("", configJsonSchema() as Node, true),
    "",
  ].join("\n");
