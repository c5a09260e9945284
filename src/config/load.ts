/** Reads a configuration file into a validated `Config`. Reads nothing else: secrets are resolved by `secrets.ts`. */
import { readFile } from "node:fs/promises";
import { LineCounter, parseDocument } from "yaml";
import { describeProblems, type Problem, problemsOf } from "./problems.ts";
import { type Config, configSchema } from "./schema.ts";

/** The document can't be used. The message names file, line, path, value and fix of every problem. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly Problem[];

  constructor(source: string, problems: readonly Problem[]) {
    super(describeProblems(source, problems));
    this.problems = problems;
  }
}

/** Validates a YAML (or JSON) text. `source` is how errors call it, usually the file's path. */
export const parseConfig = (text: string, source: string): Config => {
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
  const input: unknown = document.toJS();
  const parsed = configSchema.safeParse(input ?? {});
  if (!parsed.success) throw new ConfigError(source, problemsOf(parsed.error, input, document, lines));
  return parsed.data;
};

/** Validates a value that did not come from a file, such as command-line flags. */
export const configFrom = (input: unknown, source: string): Config => {
  const parsed = configSchema.safeParse(input);
  if (!parsed.success) throw new ConfigError(source, problemsOf(parsed.error, input));
  return parsed.data;
};

export const loadConfig = async (path: string): Promise<Config> => {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new ConfigError(path, [
      {
        line: null,
        column: null,
        path: "",
        value: null,
        fix: `can't be read (${code}): check the path and permissions`,
      },
    ]);
  }
  return parseConfig(text, path);
};
