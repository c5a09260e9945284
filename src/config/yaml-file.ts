/** YAML files that people write: read, validated by a schema, and every mistake told with its place. Used for all of them. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { describeProblems, type Problem, problemsOf } from "./problems.ts";

/** The document can't be used. The message names file, line, path, value and fix of every problem. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly Problem[];

  constructor(source: string, problems: readonly Problem[]) {
    super(describeProblems(source, problems));
    this.problems = problems;
  }
}

/** An error about a document as a whole, or about one field of it where `path` says so. */
export const configError = (source: string, fix: string, path = ""): ConfigError =>
  new ConfigError(source, [{ line: null, column: null, path, value: null, fix }]);

/** Validates a value that did not come from a text. `source` is how errors call it. */
export const validate = <T>(schema: z.ZodType<T>, input: unknown, source: string): T => {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new ConfigError(source, problemsOf(parsed.error, input));
  return parsed.data;
};

/** Validates a YAML (or JSON) text; an empty one counts as an empty object. */
export const parseYaml = <T>(schema: z.ZodType<T>, text: string, source: string): T => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const broken = document.errors[0];
  if (broken !== undefined) {
    const place = broken.linePos?.[0];
    const fix = `not valid YAML: ${broken.message.split("\n", 1)[0] ?? broken.code}`;
    throw new ConfigError(source, [
      { line: place?.line ?? null, column: place?.col ?? null, path: "", value: null, fix },
    ]);
  }
  const input: unknown = document.toJS() ?? {};
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new ConfigError(source, problemsOf(parsed.error, input, document, lines));
  return parsed.data;
};

/** Awaits a file operation; its failure becomes an error that names the path. */
const orUnreadable = async <T>(path: string, reading: Promise<T>): Promise<T> => {
  try {
    return await reading;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw configError(path, `can't be read (${code}): check the path and permissions`);
  }
};

export const readYaml = async <T>(schema: z.ZodType<T>, path: string): Promise<T> =>
  parseYaml(schema, await orUnreadable(path, readFile(path, "utf8")), path);

/** The file itself, or all YAML files of a folder by name; empty for a folder that holds none. */
export const yamlFilesIn = async (path: string): Promise<string[]> => {
  if (!(await orUnreadable(path, stat(path))).isDirectory()) return [path];
  const names = await orUnreadable(path, readdir(path));
  return names
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(path, name));
};
