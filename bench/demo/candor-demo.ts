/** Runs `candor demo --fast --json` as a user would, in a process of its own. */
import { execFile } from "node:child_process";
import { cpus } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The document that the demo prints; also when it ended in 1, which is a result like any other. */
export const candorDemo = async <T>(args: readonly string[]): Promise<T> => {
  const command = ["src/cli.ts", "demo", "--fast", "--json", ...args];
  const options = { timeout: 600_000, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await run(process.execPath, command, options).catch((error: unknown) => {
    const ended = error as { code?: unknown; stdout?: string; stderr?: string };
    if (ended.code === 1 && ended.stdout) return { stdout: ended.stdout };
    throw new Error(`candor demo ${args.join(" ")}: ended in ${String(ended.code)}: ${ended.stderr ?? ""}`);
  });
  return JSON.parse(stdout) as T;
};

export const machine = (): string =>
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, Node ${process.versions.node}`;

/** @param share 0-1 */
export const quantile = (values: readonly number[], share: number): number | null => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? null;
};
