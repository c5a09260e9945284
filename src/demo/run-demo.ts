/** What `candor demo` does, given a way to start Candor. Reads its state only where any operator would. */
import type { Classifier } from "../classify/classifier.ts";
import type { Clock } from "../kernel/clock.ts";
import type { DemoExit, DemoOptions } from "./demo-options.ts";
import { demoToken, type StartCandor } from "./demo-session.ts";
import { runPersonaDemo } from "./persona-demo.ts";
import { runReplayDemo } from "./replay-demo.ts";
import { replayText } from "./replay-text.ts";
import { createScreen } from "./screen-drawing.ts";
import { summaryText } from "./summary-text.ts";
import type { Size } from "./terminal-view.ts";

export interface DemoSurroundings {
  startCandor: StartCandor;
  /** Candor's embedded screen, for replays that are judged by it. */
  screenClassifier: Classifier;
  clock: Clock;
  out: (line: string) => void;
  err: (line: string) => void;
  /** Size of the terminal that `out` is, to be redrawn; null where it is none. */
  terminal: (() => Size) | null;
  /** Aborted when the demo is asked to end. */
  stopping: AbortSignal;
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** Runs to the end and tells how it went. What keeps it from running is said on `err`. */
export const runDemo = async (surroundings: DemoSurroundings, options: DemoOptions): Promise<DemoExit> => {
  const { out, err, terminal } = surroundings;
  const screen = createScreen(options.json ? "silent" : terminal === null ? "lines" : { terminal }, out);
  const tell = <T extends { fault: string | null }>(summary: T, words: (summary: T) => string[]): DemoExit => {
    if (options.json) out(JSON.stringify(summary));
    else for (const line of words(summary)) out(line);
    return summary.fault === null ? 0 : 1;
  };
  try {
    const linger = async (dashboardUrl: string): Promise<void> => {
      out(
        `\nThe story is told; it goes on until you press Ctrl-C. Dashboard: ${dashboardUrl} (token: ${demoToken.value})`,
      );
      await untilAborted(surroundings.stopping);
    };
    const parts = { ...surroundings, screen, options, linger };
    if (options.outputs.length > 0) return tell(await runReplayDemo(parts), replayText);
    return tell(await runPersonaDemo(parts), summaryText);
  } catch (error) {
    err(`candor demo: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
};
