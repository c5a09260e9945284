/** Turns what is wrong with a document into lines that a person can act on: place, path, value and fix. Never shows a secret. */
import type { Document, LineCounter } from "yaml";
import type { z } from "zod";

export interface Problem {
  /** Line and column of the value (or of its nearest parent) in the document, from 1; null without a document. */
  line: number | null;
  column: number | null;
  /** `subjects[1].upstream`; empty for the document as a whole. */
  path: string;
  /** The value as it stands, shortened; null where it is absent or may be a secret. */
  value: string | null;
  fix: string;
}

const secretField = /(^|\.)(key|token)(\.|$)/i;

const joinPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? String(part) : `${text}.${String(part)}`;
  }, "");

const shorten = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, part) => (typeof value === "object" && value !== null ? Reflect.get(value, part) : undefined),
    input,
  );

const article = (noun: string): string => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);

const fixFor = (issue: z.core.$ZodIssue, value: unknown): string => {
  switch (issue.code) {
    case "unrecognized_keys":
      return `unknown field${issue.keys.length > 1 ? "s" : ""} ${issue.keys.join(", ")}: remove or correct`;
    case "invalid_type":
      return value === undefined ? `missing: give ${article(issue.expected)}` : `must be ${article(issue.expected)}`;
    case "invalid_value":
      return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "too_small":
      return issue.message.startsWith("Too small")
        ? `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`
        : issue.message;
    case "too_big":
      return issue.message.startsWith("Too big")
        ? `must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`
        : issue.message;
    case "invalid_union":
      return "matches none of the allowed forms; see the description of this field in the schema";
    default:
      return issue.message;
  }
};

/** Position of the deepest node on `path` that the document has. */
const locate = (
  document: Document | null,
  lines: LineCounter | null,
  path: readonly PropertyKey[],
): { line: number; column: number } | null => {
  if (document === null || lines === null) return null;
  for (let depth = path.length; depth >= 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)) {
      const { line, col } = lines.linePos(Number(node.range[0]));
      return { line, column: col };
    }
  }
  return null;
};

export const problemsOf = (
  error: z.ZodError,
  input: unknown,
  document: Document | null = null,
  lines: LineCounter | null = null,
): Problem[] =>
  error.issues.map((issue) => {
    const path = joinPath(issue.path);
    const value = valueAt(input, issue.path);
    const place = locate(document, lines, issue.path);
    const silent = value === undefined || issue.code === "unrecognized_keys" || secretField.test(path);
    return {
      line: place?.line ?? null,
      column: place?.column ?? null,
      path,
      value: silent ? null : shorten(value),
      fix: fixFor(issue, value),
    };
  });

/** One line a problem, in the form that editors and terminals make clickable. */
export const describeProblems = (source: string, problems: readonly Problem[]): string =>
  problems
    .map(({ line, column, path, value, fix }) => {
      const place = line === null ? source : `${source}:${line}:${column}`;
      if (path === "") return `${place}: ${fix}`;
      return `${place}: ${path}${value === null ? "" : ` is ${value}`}: ${fix}`;
    })
    .join("\n");
