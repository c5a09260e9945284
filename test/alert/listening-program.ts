/** Prometheus and Alertmanager as processes of a test; both say on standard error where they listen. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";

/** Where it listens and answers, or why it can't be run. Ended with the test. */
export const startListening = async (program: string, args: readonly string[]): Promise<URL | Error> => {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  const failure = once(child, "error").then(([error]) => error as Error);
  const listening = (async () => {
    let last = "";
    for await (const line of createInterface({ input: child.stderr })) {
      last = line;
      const address = /Listening on.* address=(\S+)/.exec(line)?.[1];
      if (address !== undefined) return new URL(`http://${address}`);
    }
    return new Error(`it ended before it listened: ${last}`);
  })();
  const started = await Promise.race([listening, failure]);
  if (started instanceof Error) return started;
  child.stderr.resume();
  // Last in, first out: the process ends before its folder goes.
  onTestFinished(async () => {
    if (child.exitCode !== null || !child.kill()) return;
    await once(child, "exit");
  });
  // It listens before it is ready to answer.
  while (!(await fetch(new URL("/-/ready", started))).ok) await sleep(100);
  return started;
};
