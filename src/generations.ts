/**
 * Which generation is in force, and those before it that have not ended. A change of the configuration swaps one for
 * another: whoever comes is met by the new one, what runs ends under the old one, which is closed after that or, at the
 * latest, when its time is over.
 */
import type { ExposedNames } from "./alert/metrics.ts";
import type { Generation } from "./generation.ts";
import type { Clock } from "./kernel/clock.ts";
import type { Prober } from "./probe/scheduler.ts";
import type { DeclaredSubject } from "./watch/declared-subject.ts";

/** What is asked of a generation here. */
interface Member
  extends Pick<Generation, "declared" | "names" | "begin" | "finish" | "settled" | "breakOff" | "close"> {
  config: { drain: Pick<Generation["config"]["drain"], "replacedSeconds"> };
  probers: ReadonlyMap<string, Pick<Prober, "stop">>;
}

interface Options<G extends Member> {
  /** Begins epochs where they are due. */
  declare(subjects: readonly DeclaredSubject[]): Promise<void>;
  /** Exposes the series of these names. */
  expose(names: Required<ExposedNames>): void;
  /** From now on it is the one that requests, operators and receivers of alerts find. */
  inForce(generation: G): void;
  clock: Pick<Clock, "after">;
  /** Something went wrong while one that was replaced ended. */
  onError(error: unknown): void;
}

export interface Generations<G extends Member> {
  /** Throws before the first has entered. */
  current(): G;
  /** Null before the first has entered. */
  newest(): G | null;
  /** How many were replaced and have not ended. */
  ending(): number;
  /** Puts it in force. Rejects where the log does not take its subjects; then nothing has changed. */
  enter(next: G): Promise<void>;
  isDeclared(subject: DeclaredSubject): boolean;
  /** Stops all probes at once, waits for `answered` and for what was said until then to be judged. */
  drain(answered: Promise<void>): Promise<void>;
  /** Closes all of them. */
  close(): Promise<void>;
}

const byId = (all: readonly Member[]): Map<string, DeclaredSubject> =>
  // Of two that declare a subject the newer one says what it is.
  new Map(all.flatMap(({ declared }) => declared.map((subject) => [subject.id, subject])));

const namesOf = (all: readonly Member[]): Required<ExposedNames> => {
  const together = <T>(pick: (names: Member["names"]) => readonly T[]): T[] => [
    ...new Set(all.flatMap(({ names }) => pick(names))),
  ];
  return {
    subjects: together(({ subjects }) => subjects),
    classifiers: together(({ classifiers }) => classifiers),
    receivers: together(({ receivers }) => receivers),
    models: together(({ models }) => models),
    policies: together(({ policies }) => policies),
  };
};

export const createGenerations = <G extends Member>(options: Options<G>): Generations<G> => {
  const { declare, expose, inForce, clock, onError } = options;
  /** Oldest first; the last is in force. */
  const living: G[] = [];
  let declared = new Map<string, DeclaredSubject>();
  let isEnding = false;

  /** What is known of subjects is that of all generations that live: one that is gone is known until its last answer. */
  const declareAll = async (all: readonly G[]): Promise<void> => {
    const before = declared;
    // First, so that nothing which an older one sees counts for what its subject becomes now.
    declared = byId(all);
    try {
      await declare([...declared.values()]);
    } catch (error) {
      declared = before;
      throw error;
    }
  };

  const end = async (old: G, patienceMs: number): Promise<void> => {
    const cancel = clock.after(patienceMs, () => void old.breakOff().catch(onError));
    await old.finish();
    cancel();
    if (isEnding) return;
    living.splice(living.indexOf(old), 1);
    await declareAll(living);
    expose(namesOf(living));
    await old.close();
  };

  const newest = (): G | null => living.at(-1) ?? null;

  return {
    current() {
      const generation = newest();
      if (generation === null) throw new Error("no configuration is in force yet");
      return generation;
    },
    newest,
    ending: () => Math.max(0, living.length - 1),
    async enter(next) {
      await declareAll([...living, next]);
      const old = newest();
      living.push(next);
      expose(namesOf(living));
      inForce(next);
      if (old === null) return;
      next.begin();
      void end(old, next.config.drain.replacedSeconds * 1_000).catch(onError);
    },
    isDeclared: (subject) => declared.get(subject.id) === subject,
    async drain(answered) {
      isEnding = true;
      const probers = living.flatMap((one) => [...one.probers.values()]);
      await Promise.all([answered, ...probers.map((prober) => prober.stop())]);
      await Promise.all(living.map((one) => one.settled()));
    },
    async close() {
      isEnding = true;
      await Promise.all(living.map((one) => one.close()));
    },
  };
};
