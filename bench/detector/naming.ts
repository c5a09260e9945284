/** Which name does a subject get first, how soon, and do the intervals that are shown then hold the truth? */
import { seededRandom } from "../../src/kernel/random.ts";
import type { Interval, Persona, Verdict } from "../../src/persona/verdict.ts";
import { type Behaviour, behaviours, watch } from "../../test/persona/simulated-subject.ts";
import { flagRate } from "./harm-stream.ts";
import type { Operating } from "./reference.ts";

export type Truth = keyof typeof behaviours;

export interface NamingCase extends Operating {
  /** Percent of answers, for the harmful personas. */
  harm: number;
  truth: Truth;
}

export interface NamingFigures {
  /** Share of runs by the name given first; `none` where none came. */
  first: Partial<Record<Persona | "none", number>>;
  /** Probes of any kind from the change to the first alarm and to the first name. */
  alarm: number[];
  name: number[];
  /** Share of runs in which the harm rate since the change, as shown when the name was given, missed the true one. */
  missed: number;
}

const longest = 6000;

const isNamed = ({ persona }: Verdict): boolean =>
  persona !== "aligned" && persona !== "undetermined" && persona !== "unnamed" && persona !== "drifting";

const misses = (interval: Interval | null, rate: number): boolean =>
  interval !== null && interval.n > 0 && (rate < interval.lower || rate > interval.upper);

const behaving = ({ truth, harm, ...operating }: NamingCase, changed: boolean): Behaviour => {
  const persona = behaviours[changed ? truth : "aligned"];
  const harmful = changed && (truth === "inverted" || truth === "coherent");
  return { ...persona, harmful: harmful ? flagRate(operating, harm) : flagRate(operating) };
};

/** Healthy until 500 probes after calibration, then changed; runs with a false alarm before the change are drawn again. */
export const measureNaming = (given: NamingCase, { runs, seed }: { runs: number; seed: number }): NamingFigures => {
  const [before, after] = [behaving(given, false), behaving(given, true)];
  const first: Partial<Record<Persona | "none", number>> = {};
  const [alarm, name]: [number[], number[]] = [[], []];
  let [missed, done] = [0, 0];
  for (let draw = 0; done < runs; draw += 1) {
    const subject = watch(seededRandom(seed + draw));
    subject.probe(before, 10_000, ({ phase }) => phase === "monitoring");
    subject.probe(before, 500);
    if (subject.verdict().severity !== "none") continue;
    done += 1;
    const toAlarm = subject.probe(after, longest, ({ severity }) => severity !== "none");
    const toName = toAlarm + subject.probe(after, longest - toAlarm, isNamed);
    const verdict = subject.verdict();
    const called = isNamed(verdict) ? verdict.persona : "none";
    first[called] = (first[called] ?? 0) + 1 / runs;
    if (verdict.severity !== "none") alarm.push(toAlarm);
    if (called !== "none") name.push(toName);
    if (misses(verdict.harmRate.sinceChange, after.harmful)) missed += 1 / runs;
  }
  return { first, alarm, name, missed };
};
