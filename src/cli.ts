#!/usr/bin/env node
/** The command line: finds the subcommand, gives it the process's surroundings, and turns what went wrong into words. */
import { createInterface } from "node:readline/promises";
import { text as readText } from "node:stream/consumers";
import { type Command, type ExitCode, type Surroundings, UsageError } from "./commands/command.ts";
import { ConfigError } from "./config/yaml-file.ts";

/** In the order of the help. Each is read when it is asked for: what serves has no use for the demo's memory. */
const commands: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["serve", async () => (await import("./commands/serve.ts")).serve],
  ["demo", async () => (await import("./commands/demo.ts")).demo],
  ["check", async () => (await import("./commands/check.ts")).check],
  ["try", async () => (await import("./commands/try.ts")).tryPolicy],
  ["verify", async () => (await import("./commands/verify.ts")).verify],
  ["replay", async () => (await import("./commands/replay.ts")).replay],
  ["eval", async () => (await import("./commands/eval.ts")).evaluate],
  ["calibrate", async () => (await import("./commands/calibrate.ts")).calibrate],
  ["audit", async () => (await import("./commands/audit.ts")).audit],
  ["train", async () => (await import("./commands/train.ts")).train],
  ["schema", async () => (await import("./commands/schema.ts")).schema],
]);

const help = async (): Promise<string> => {
  const all = await Promise.all([...commands.values()].map((read) => read()));
  return [
    "candor: notices when a model stops being honest about itself",
    "",
    ...all.map(({ usage, summary }) => `  candor ${usage}\n      ${summary}`),
    "",
    "Exit codes: 0 all well, 1 the answer is bad news, 2 it could not be done.",
  ].join("\n");
};

const run = async (argv: string[], surroundings: Surroundings): Promise<ExitCode> => {
  const [name, ...args] = argv;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    surroundings.out(await help());
    return name === undefined ? 2 : 0;
  }
  const command = await commands.get(name)?.();
  if (command === undefined) {
    surroundings.err(`candor: there is no command "${name}"; try candor help`);
    return 2;
  }
  if (args.includes("--help") || args.includes("-h")) {
    surroundings.out(`candor ${command.usage}\n    ${command.summary}`);
    return 0;
  }
  try {
    return await command.run(args, surroundings);
  } catch (error) {
    if (error instanceof UsageError)
      surroundings.err(`candor ${name}: ${error.message}\nusage: candor ${command.usage}`);
    else if (error instanceof ConfigError) surroundings.err(error.message);
    else surroundings.err(`candor ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
};

const stopping = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    // Whoever asks twice does not want to wait for the drain.
    if (stopping.signal.aborted) process.exit(signal === "SIGTERM" ? 143 : 130);
    stopping.abort();
  });
}

const confirm = async (question: string): Promise<boolean> => {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await asking.question(question, { signal: stopping.signal })).trim());
  } catch {
    // Asked to end instead of answering.
    return false;
  } finally {
    asking.close();
  }
};

process.exitCode = await run(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  input: () => readText(process.stdin),
  env: process.env,
  stopping: stopping.signal,
  terminal: process.stdout.isTTY ? () => ({ columns: process.stdout.columns, rows: process.stdout.rows }) : null,
  ...(process.stdin.isTTY && process.stderr.isTTY ? { confirm } : {}),
});
