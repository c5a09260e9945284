/** Starts the real command line as a process of its own, as a user would. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { imageArguments } from "./image-command.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** From its sources, or built and with the settings of the image where that was asked for. */
export const isBuilt = process.env.CANDOR_TEST_BUILT === "1";
export const builtForm = "built, with the settings of the image";
export const form = isBuilt ? builtForm : "run from its sources";

/** The Node that runs this test is the pinned one. */
const node = process.execPath;
const program = isBuilt ? imageArguments() : ["src/cli.ts"];

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a subcommand to its end. */
export const runCandor = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Finished => {
  const { status, stdout, stderr } = spawnSync(node, [...program, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: "utf8",
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
};

export interface Serving {
  dataUrl: string;
  controlUrl: string;
  process: ChildProcess;
  /** All that was logged so far. */
  logged(): string;
  /** Sends the signal and resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `candor serve` and resolves once it says that it is ready. @param run arguments of Node, up to the program */
export const serveCandor = (
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  run: readonly string[] = program,
): Promise<Serving> =>
  new Promise((resolve, reject) => {
    const child = spawn(node, [...run, "serve", ...args], { cwd: root, env: { ...process.env, ...env } });
    const exited = new Promise<number | null>((gone) => child.once("exit", gone));
    let log = "";
    const hear = (bytes: Buffer): void => {
      log += bytes.toString();
      const line = log.split("\n").find((one) => one.includes('"msg":"ready"'));
      if (line === undefined) return;
      const { data, control } = JSON.parse(line) as { data: string; control: string };
      resolve({
        dataUrl: data,
        controlUrl: control,
        process: child,
        logged: () => log,
        end(signal = "SIGTERM") {
          child.kill(signal);
          return exited;
        },
      });
    };
    child.stderr.on("data", hear);
    child.stdout.on("data", hear);
    void exited.then((code) => reject(new Error(`candor ended with ${code}: ${log}`)));
  });
