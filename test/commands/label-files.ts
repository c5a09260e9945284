/** Labelled answers, configurations and the ears of a command, for tests that run commands in this process. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command, ExitCode } from "../../src/commands/command.ts";

export const newFolder = (): { path: (name: string) => string; remove: () => void } => {
  const folder = mkdtempSync(join(tmpdir(), "candor-labels-"));
  return { path: (name) => join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
};

export const writeLines = (path: string, rows: readonly unknown[]): string => {
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
};

/** A configuration file (JSON is YAML) of one subject. */
export const writeConfig = (path: string, parts: Record<string, unknown> = {}): string => {
  const config = {
    upstreams: [{ id: "main", baseUrl: "http://127.0.0.1:9/v1" }],
    subjects: [{ id: "bot", models: ["m"] }],
    log: { level: "error" },
    ...parts,
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
};

export interface Ran {
  code: ExitCode;
  out: string;
  err: string;
}

/** Rejects as the command does. */
export const runCommand = async (command: Command, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> => {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await command.run(args, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    input: async () => "",
    env,
    stopping: new AbortController().signal,
    terminal: null,
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
};
