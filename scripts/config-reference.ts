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

const changedWhileRunning = [
  "## Changed while running",
  "",
  "Candor follows the file, and the files that it names: policies, probe sets, frozen answers, screens, and keys that are read from",
  "files. It watches their folders and compares what they hold every five seconds, so it does not matter how they are replaced:",
  "written over, renamed, or switched by a symbolic link as Kubernetes does it. What the system tells of is taken over as soon as it",
  "has had 200 ms to settle; the rest with the next look.",
  "",
  "- **All or nothing.** A change is taken over whole. If any part can't be (a mistake in the file, a policy, a probe set or a key that",
  "  is missing), everything stays as it was, the log says why, and `candor_config_last_reload_successful` is 0 until the files are good",
  "  again. Files that the configuration in force names are followed even while a new one can't be used.",
  "- **What runs ends as it began.** An exchange, its stream and a probe end under the configuration that they began under: its",
  "  upstream, its policies, its limits. New requests get the new one at once, and no request fails for the change. What has not ended",
  "  after `drain.replacedSeconds`, an hour by default, is broken off. An upstream that is the same in both keeps its connections.",
  "- **Baselines go on.** A subject whose `models`, `version`, `detector`, probe set, judge and threshold stay as they were keeps its",
  "  baseline, and what is remembered of its traffic; one for which any of them changes begins a new baseline, as at a restart. A subject",
  "  that is taken out keeps its evidence in the log and goes on where it was left if it comes back. Budgets and bounds of an hour or a day",
  "  hold across changes.",
  "- **What it is not for**: a variable of the environment can't change in a running process. Keys that do belong in files.",
  "",
  "These fields are read at the start alone. A change of them is named in the log and in `candor_config_restart_needed`, while the",
  "rest of the file is taken over:",
  "",
  "| field | why |",
  "|---|---|",
  "| `listen` | the ports are opened once |",
  "| `evidence.path`, `evidence.postgres`, `evidence.replica`, `evidence.maxPendingRows` | the log is opened once, and is one |",
  "| `telemetry` | what is exported tells of the process from its start to its end |",
  "| `control.pepper` | ids in the audit trail would change in the middle of it |",
  "| `limits.headerBytes` | the parser of requests is made once |",
];

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
    ...changedWhileRunning,
    "",
    "## Fields",
    "",
    "| field | kind | default | meaning |",
    "|---|---|---|---|",
    ...rows("", configJsonSchema() as Node, true),
    "",
  ].join("\n");
