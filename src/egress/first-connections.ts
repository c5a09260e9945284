/**
 * Who may try to connect to an upstream, and when. As long as the last attempt succeeded, everybody, at once. Where none
 * has yet, or the last one failed, a few try for all: thousands of handshakes or look-ups of a name at a time against a
 * server that is gone would keep this process from telling its clients so. Connects nowhere itself.
 */

/** One who wants a connection. */
export interface Seeker {
  /** It may try now; `ended` must follow. */
  begin(): void;
  /** Others tried for it in vain; nothing follows. */
  giveUp(error: Error): void;
}

export interface FirstConnections {
  /** Calls `begin` or `giveUp`, now or later, unless `ended` comes before. */
  seek(seeker: Seeker): void;
  /** What its attempt came to, null for a connection; also for one that no longer waits. */
  ended(seeker: Seeker, error: Error | null): void;
}

/** However many failures it takes until all give up, no more than these try at a time. */
const mostTogether = 8;

/**
 * @param failures in a row, after which those who wait give up as well and one at a time tries for all from then on;
 *   0: everybody always tries
 */
export const createFirstConnections = (failures: number): FirstConnections => {
  let isReachable = failures === 0;
  let inARow = 0;
  const trying = new Set<Seeker>();
  const waiting = new Set<Seeker>();
  let isGivingUp = false;

  const hasTurn = (): boolean => {
    if (isGivingUp) return false;
    return isReachable || trying.size < (inARow >= failures ? 1 : Math.min(failures, mostTogether));
  };
  const begin = (seeker: Seeker): void => {
    trying.add(seeker);
    seeker.begin();
  };
  const beginNext = (): void => {
    for (const seeker of waiting) {
      if (!hasTurn()) return;
      waiting.delete(seeker);
      begin(seeker);
    }
  };

  const failed = (error: Error): void => {
    if (failures === 0) return;
    inARow += 1;
    isReachable = false;
    if (inARow < failures) {
      beginNext();
      return;
    }
    // What was begun before tells nothing about what is tried from here on.
    trying.clear();
    // Those too that come forward only now, because others gave up the place that they waited for.
    isGivingUp = true;
    for (const seeker of waiting) {
      waiting.delete(seeker);
      seeker.giveUp(error);
    }
    isGivingUp = false;
  };

  return {
    seek(seeker) {
      if (hasTurn()) begin(seeker);
      else waiting.add(seeker);
    },
    ended(seeker, error) {
      waiting.delete(seeker);
      const counts = trying.delete(seeker);
      if (error !== null) {
        if (counts) failed(error);
        return;
      }
      isReachable = true;
      inARow = 0;
      beginNext();
    },
  };
};
