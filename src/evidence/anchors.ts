/**
 * Notes the head of the chain in the program's own log, which is usually collected elsewhere: of rows that were noted
 * there, none can be cut off or written anew without `candor verify --anchor` telling.
 */
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";

interface AnchorParts {
  path: string;
  head: () => { position: number; hash: string };
  clock: Pick<Clock, "after">;
  log: Pick<Log, "info">;
}

const everyMs = 3_600_000;

/** Notes now, every hour and at the end; each time only what is new. The returned function ends it. */
export const noteAnchors = ({ path, head, clock, log }: AnchorParts): (() => void) => {
  let noted = 0;
  const note = (): void => {
    const { position, hash } = head();
    if (position === noted) return;
    noted = position;
    log.info({ path, anchor: `${position}:${hash}` }, "evidence anchor");
  };
  let cancel = (): void => {};
  const repeat = (): void => {
    note();
    cancel = clock.after(everyMs, repeat);
  };
  repeat();
  return () => {
    cancel();
    note();
  };
};
