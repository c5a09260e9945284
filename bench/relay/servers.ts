/** Starts the processes that are measured, waits until they listen, and reads what the kernel says they used. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";

export interface MeasuredServer {
  name: string;
  port: number;
  pid: number;
  /** CPU time of all its threads so far, in microseconds. */
  cpuMicros(): number;
  residentMB(): number;
  stop(): void;
}

/** The kernel counts in these; 100 on Linux unless it was built otherwise. */
const ticksPerSecond = Number(spawnSync("getconf", ["CLK_TCK"]).stdout.toString()) || 100;

const statOf = (pid: number): string[] => {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
};

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });

const pinning = "taskset";
const pinned = spawnSync(pinning, ["--version"]).status === 0;

/** The measured server gets one core and everything else the other, where the system lets us say so. */
export const onCore = (core: 0 | 1, command: readonly string[]): [string, string[]] => {
  const all = pinned ? [pinning, "-c", String(core), ...command] : [...command];
  return [all[0] ?? "", all.slice(1)];
};

export const startServer = async (
  name: string,
  core: 0 | 1,
  command: readonly string[],
  port: number,
  env: NodeJS.ProcessEnv = {},
): Promise<MeasuredServer> => {
  const [program, args] = onCore(core, command);
  const child: ChildProcess = spawn(program, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, NODE_ENV: "production", ...env },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} could not be started: ${command.join(" ")}`);
  const deadline = performance.now() + 30_000;
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    if (performance.now() > deadline) throw new Error(`${name} does not listen on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    name,
    port,
    pid,
    cpuMicros() {
      const fields = statOf(pid);
      return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
    },
    residentMB: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) / 1024,
    stop: () => void child.kill("SIGKILL"),
  };
};
