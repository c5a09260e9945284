/** What every subcommand of `candor` looks like, and how its flags are read. */
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** Where a command writes, and what it may look at; the process's own, or a test's. */
export interface Surroundings {
  out: (line: string) => void;
  err: (line: string) => void;
  /** All that is given on the standard input. */
  input: () => Promise<string>;
  env: NodeJS.ProcessEnv;
  /** Aborted when the process is asked to end; a second request is not waited for. */
  stopping: AbortSignal;
  /** Size of the terminal that `out` is, to be redrawn; null where it is none. */
  terminal: (() => { columns: number; rows: number }) | null;
  /** Puts a question to who sits at the terminal, and says whether the answer is yes; left out where nobody does. */
  confirm?: (question: string) => Promise<boolean>;
}

/** 0: did it, all well. 1: did it, and the answer is bad news. 2: could not do it. */
export type ExitCode = 0 | 1 | 2;

export interface Command {
  name: string;
  usage: string;
  summary: string;
  run(args: string[], surroundings: Surroundings): Promise<ExitCode>;
}

/** The command line can't be understood; the message says what to change. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const readFlags = <const O extends ParseArgsOptionsConfig>(args: string[], options: O) => {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

/** A flag that must be a whole number of at least `least`; undefined when it was not given. */
export const wholeNumber = (flag: string, text: string | undefined, least: number): number | undefined => {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`--${flag} is "${text}": give a whole number of at least ${least}`);
  }
  return value;
};

export const onlyPositional = (positionals: string[], what: string): string => {
  const [first, ...more] = positionals;
  if (first === undefined) throw new UsageError(`give ${what}`);
  if (more.length > 0) throw new UsageError(`give only ${what}; what is "${more[0]}"?`);
  return first;
};
