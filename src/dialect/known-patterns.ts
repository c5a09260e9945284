/** What was learnt of the shapes that an upstream's answers have: a few of them at a time, and no more work than it is worth. */

export interface KnownPatterns<T> {
  /** Used last, first. */
  recent(): readonly T[];
  used(pattern: T): void;
  /** Of what was like none of them. Often it is not worth it: then nothing is made. */
  learn(make: () => T | null): void;
}

/** A few: what comes side by side is of a few models and choices. */
const mostPatterns = 8;
/** So many attempts in a row of which none was of use: here one answer is not like another. */
const mostUnused = 16;
/** Then only one in so many is learnt from, as that may change. */
const seldom = 64;

export const createKnownPatterns = <T>(): KnownPatterns<T> => {
  const patterns: T[] = [];
  let unused = 0;
  let unlike = 0;

  const putFirst = (pattern: T): void => {
    if (patterns[0] === pattern) return;
    const known = patterns.indexOf(pattern);
    if (known !== -1) patterns.splice(known, 1);
    patterns.unshift(pattern);
    patterns.splice(mostPatterns);
  };

  return {
    recent: () => patterns,
    used(pattern) {
      unused = 0;
      putFirst(pattern);
    },
    learn(make) {
      unlike += 1;
      if (unused >= mostUnused && unlike % seldom !== 0) return;
      unused += 1;
      const pattern = make();
      if (pattern !== null) putFirst(pattern);
    },
  };
};
