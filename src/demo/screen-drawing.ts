/** Puts scenes onto the output: redrawn in place on a terminal, now and then a line elsewhere, nothing when silent. */
import { ansiPaint, render, renderLine, type Scene, type Size, type Stage } from "./terminal-view.ts";

export interface Screen {
  show(scene: Scene): void;
}

/** A terminal tells its size anew each time: people resize it. */
export type ScreenMode = { terminal: () => Size } | "lines" | "silent";

/** Seconds between two lines of one stage. */
const lineEvery = 5;

export const createScreen = (mode: ScreenMode, out: (line: string) => void): Screen => {
  let drawn = 0;
  let last: { stage: Stage; seconds: number } | null = null;
  const redraw = (scene: Scene, size: Size): void => {
    const lines = render(scene, ansiPaint, size);
    // Up to where the last picture began, then clear to the end. Lines must not wrap, or they could not be counted.
    out(`${drawn > 0 ? `\x1b[${drawn}A` : ""}\r\x1b[J\x1b[?7l${lines.join("\n")}\x1b[?7h`);
    drawn = lines.length;
  };
  const addLine = (scene: Scene): void => {
    if (last !== null && last.stage === scene.stage && scene.seconds - last.seconds < lineEvery) return;
    last = { stage: scene.stage, seconds: scene.seconds };
    out(renderLine(scene));
  };
  return {
    show(scene) {
      if (mode === "lines") addLine(scene);
      else if (mode !== "silent") redraw(scene, mode.terminal());
    },
  };
};
