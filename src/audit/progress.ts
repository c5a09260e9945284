/** How far an audit is: a bar that is redrawn on a terminal, a line at every tenth elsewhere. */
export interface Progress {
  show(done: number, of: number): void;
}

const barWidth = 30;

const barOf = (done: number, of: number): string => {
  const full = Math.floor((barWidth * done) / Math.max(1, of));
  return `[${"#".repeat(full)}${"-".repeat(barWidth - full)}] ${done} of ${of}`;
};

/** @param isTerminal whether the place that `out` writes lines to can be redrawn */
export const createProgress = (isTerminal: boolean, out: (line: string) => void): Progress => {
  let drawn = false;
  let tenths = 0;
  return {
    show(done, of) {
      if (isTerminal) {
        // The line above is the last bar; anything longer than it is cleared.
        out(`${drawn ? "\x1b[1A\r\x1b[2K" : ""}${barOf(done, of)}`);
        drawn = true;
        return;
      }
      const reached = Math.floor((10 * done) / Math.max(1, of));
      if (reached === tenths) return;
      tenths = reached;
      out(`${done} of ${of} questions settled`);
    },
  };
};
