/**
 * The part of Go's templates and of Helm's functions that the chart uses, so that it can be rendered where no Helm is.
 * What it does not know is an error, never an empty string. Not a Helm: nothing of hooks, dependencies or lookups.
 */
import { createHash } from "node:crypto";
import { stringify } from "yaml";

type Value = unknown;
type Node =
  | { kind: "text"; text: string }
  | { kind: "print"; pipeline: string }
  | { kind: "if" | "with"; branches: { condition: string | null; body: Node[] }[] };

interface Templates {
  named: Map<string, Node[]>;
  files: ReadonlyMap<string, string>;
}

/** Text and actions in turn; `-` at an action's edge takes the blanks beside it away. */
const piecesOf = (source: string): string[] => {
  const pieces = source.split(/(\{\{-?\s*\/\*[\s\S]*?\*\/\s*-?\}\}|\{\{-?[\s\S]*?-?\}\})/);
  return pieces.map((piece, index) => {
    if (index % 2 === 1) return piece;
    const afterTrim = pieces[index - 1]?.endsWith("-}}") === true ? piece.replace(/^\s+/, "") : piece;
    return pieces[index + 1]?.startsWith("{{-") === true ? afterTrim.replace(/\s+$/, "") : afterTrim;
  });
};

const readTemplate = (source: string, templates: Templates): Node[] => {
  const pieces = piecesOf(source);
  let at = 0;
  const readUntil = (ends: RegExp): { nodes: Node[]; end: string } => {
    const nodes: Node[] = [];
    while (at < pieces.length) {
      const piece = pieces[at] ?? "";
      const isAction = at++ % 2 === 1;
      if (!isAction) {
        nodes.push({ kind: "text", text: piece });
        continue;
      }
      const action = piece.replace(/^\{\{-?\s*|\s*-?\}\}$/g, "");
      if (ends.test(action)) return { nodes, end: action };
      if (action.startsWith("/*")) continue;
      const [, word = "", rest = ""] = /^(if|with|define)\s+([\s\S]+)$/.exec(action) ?? [];
      if (word === "define") templates.named.set(JSON.parse(rest) as string, readUntil(/^end$/).nodes);
      else if (word === "if" || word === "with") nodes.push(readBranches(word, rest));
      else if (/^(range|else|end|block|template)\b|:=/.test(action)) throw new Error(`not known here: {{ ${action} }}`);
      else nodes.push({ kind: "print", pipeline: action });
    }
    if (ends.source !== "(?!)") throw new Error(`the template ends before ${ends.source}`);
    return { nodes, end: "" };
  };
  const readBranches = (kind: "if" | "with", first: string): Node => {
    const branches: { condition: string | null; body: Node[] }[] = [];
    for (let condition: string | null = first; ; ) {
      const { nodes, end } = readUntil(/^(else\b.*|end)$/);
      branches.push({ condition, body: nodes });
      if (end === "end") return { kind, branches };
      condition = /^else if (.+)$/.exec(end)?.[1] ?? null;
    }
  };
  return readUntil(/(?!)/).nodes;
};

const isEmpty = (value: Value): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === 0 ||
  value === "" ||
  (typeof value === "object" && Object.keys(value).length === 0);

const indented = (columns: Value, text: Value): string => `${text}`.replace(/^(?=.)/gm, " ".repeat(Number(columns)));

const filesMatching = (files: ReadonlyMap<string, string>, glob: string) => {
  const [folder = "", ending = ""] = glob.split("*");
  const found = [...files].filter(([path]) => path.startsWith(folder) && path.endsWith(ending));
  return {
    AsConfig: stringify(Object.fromEntries(found.map(([path, text]) => [path.slice(folder.length), text]))).trimEnd(),
  };
};

/** Arguments of a pipeline: strings, numbers, fields and pipelines in parentheses, with a field of their result. */
const words = /"(?:[^"\\]|\\.)*"|\((?:[^()"]|"[^"]*")*\)[.\w]*|[^\s()"]+/g;

export const createChart = (sources: Iterable<string>, files: ReadonlyMap<string, string>) => {
  const templates: Templates = { named: new Map(), files };
  const read = new Map([...sources].map((source) => [source, readTemplate(source, templates)]));

  const field = (value: Value, path: string): Value =>
    path
      .split(".")
      .filter((name) => name !== "")
      .reduce<Value>((inner, name) => {
        if (typeof inner !== "object" || inner === null || !(name in inner))
          throw new Error(`nothing is called .${path}`);
        return (inner as Record<string, Value>)[name];
      }, value);

  const functions: Record<string, (...args: Value[]) => Value> = {
    add: (...args) => args.reduce<number>((sum, each) => sum + Number(each), 0),
    // The first that is empty, else the last one.
    and: (...args) => args.at(args.findIndex(isEmpty)),
    default: (fallback, value) => (isEmpty(value) ? fallback : value),
    not: (value) => isEmpty(value),
    nindent: (columns, text) => `\n${indented(columns, text)}`,
    printf: (format, ...args) => `${format}`.replaceAll("%s", () => `${args.shift()}`),
    replace: (from, to, text) => `${text}`.replaceAll(`${from}`, `${to}`),
    sha256sum: (text) => createHash("sha256").update(`${text}`).digest("hex"),
    toYaml: (value) => stringify(value).trimEnd(),
    include: (name, scope) => {
      const nodes = templates.named.get(`${name}`);
      if (nodes === undefined) throw new Error(`no template is called ${name}`);
      return render(nodes, scope);
    },
  };

  const word = (text: string, scope: Value): Value => {
    if (text.startsWith('"')) return JSON.parse(text);
    if (/^\d+$/.test(text)) return Number(text);
    if (text.startsWith("(")) {
      const close = text.lastIndexOf(")");
      return field(evaluate(text.slice(1, close), scope), text.slice(close + 1));
    }
    if (text.startsWith(".")) return field(scope, text);
    throw new Error(`not known here: ${text}`);
  };

  const call = (command: string, scope: Value, piped: Value[]): Value => {
    const [head = "", ...rest] = command.match(words) ?? [];
    const args = [...rest.map((each) => word(each, scope)), ...piped];
    if (head === ".Files.Get") {
      const text = files.get(`${args[0]}`);
      if (text === undefined) throw new Error(`the chart has no file ${args[0]}`);
      return text;
    }
    if (head === ".Files.Glob") return filesMatching(files, `${args[0]}`);
    const known = functions[head];
    if (known !== undefined) return known(...args);
    if (args.length > 0) throw new Error(`no function is called ${head}`);
    return word(head, scope);
  };

  const evaluate = (pipeline: string, scope: Value): Value =>
    pipeline
      .split(/\s\|\s/)
      .reduce<Value[]>((piped, command) => [call(command.trim(), scope, piped)], [])
      .at(0);

  const render = (nodes: readonly Node[], scope: Value): string =>
    nodes
      .map((node) => {
        if (node.kind === "text") return node.text;
        if (node.kind === "print") return `${evaluate(node.pipeline, scope)}`;
        for (const { condition, body } of node.branches) {
          const value = condition === null ? true : evaluate(condition, scope);
          if (!isEmpty(value)) return render(body, node.kind === "with" && condition !== null ? value : scope);
        }
        return "";
      })
      .join("");

  return {
    /** A template's text for these values. */
    render: (source: string, scope: object): string => render(read.get(source) ?? [], scope),
    named: (name: string, scope: object): string => `${functions.include?.(name, scope)}`,
  };
};

/** Helm's way of putting given values over the chart's: objects are merged, everything else is replaced. */
export const merged = (below: Value, above: Value): Value => {
  const isObject = (value: Value): value is Record<string, Value> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(below) || !isObject(above)) return above;
  return {
    ...below,
    ...Object.fromEntries(Object.entries(above).map(([key, value]) => [key, merged(below[key], value)])),
  };
};
