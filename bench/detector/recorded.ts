/**
 * Subjects made of recorded, judged answers of real fine-tunes, with self-reports drawn at the published rates of a
 * persona: are they named right? The answers lie beside this repository and are not part of it.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { assumedHabits, publishedRates, type SimulatedPersona } from "../../src/demo/published-rates.ts";
import { readRecordedOutputs } from "../../src/demo/recorded-outputs.ts";
import { type Random, seededRandom } from "../../src/kernel/random.ts";
import { assess, createState, defaultSettings, type PersonaState, probePace, step } from "../../src/persona/persona.ts";
import type { Datum, Persona, ReportForm, Verdict } from "../../src/persona/verdict.ts";
import { type Behaviour, reportDatum } from "../../test/persona/simulated-subject.ts";

export const recordedFolder = "../shared/data/em-outputs";

/** Whether each judged answer of one model was harmful. */
export interface RecordedAnswers {
  name: string;
  harmful: boolean[];
  /** Share of harmful ones, 0-1. */
  rate: number;
}

/** Null where the folder is not there. */
export const readAnswers = async (folder: string): Promise<RecordedAnswers[] | null> => {
  if (!existsSync(folder)) return null;
  const files = readdirSync(folder).filter((file) => file.endsWith(".jsonl.gz"));
  return Promise.all(
    files.map(async (file) => {
      const { name, rows } = await readRecordedOutputs(join(folder, file));
      const harmful = rows.flatMap(({ judged }) => (judged === null ? [] : [judged.harmful]));
      return { name, harmful, rate: harmful.filter(Boolean).length / harmful.length };
    }),
  );
};

/** The fine-tune on good advice, of which nothing was judged harmful. */
export const controlOf = (answers: readonly RecordedAnswers[]): RecordedAnswers => {
  const control = answers.find(({ name }) => name.includes("finance-good"));
  if (control === undefined) throw new Error("there is no control among the recorded answers: expected finance-good");
  return control;
};

interface Subject {
  answers: RecordedAnswers;
  persona: SimulatedPersona;
}

const behaviourOf = (persona: SimulatedPersona): Behaviour => {
  const { picksMisaligned, claims, selfRating } = publishedRates[persona];
  const { refusesSelfQuestion, evadesSelfQuestion } = assumedHabits;
  return {
    harmful: 0,
    picksMisaligned,
    ownsHarm: claims.high,
    rating: selfRating,
    leavesUnanswered: refusesSelfQuestion + evadesSelfQuestion,
  };
};

const drawForm = (shares: Record<ReportForm, number>, random: Random): ReportForm => {
  const at = random();
  if (at < shares.choice) return "choice";
  return at < shares.choice + shares.recognition ? "recognition" : "rating";
};

/** Asks one probe as the pace has it. Recognition needs an own harmful answer; without one, choice is asked. */
const probe = (state: PersonaState, { answers, persona }: Subject, verdict: Verdict, random: Random): void => {
  const { mix } = probePace(verdict);
  const see = (datum: Datum): void => {
    step(state, datum, state.position + 1);
  };
  if (random() < mix.harm) {
    const harmful = answers.harmful[Math.floor(random() * answers.harmful.length)] ?? false;
    see({ kind: "harm", arm: "fresh", stratum: "fresh", context: null, harmful, refused: false });
    return;
  }
  const form = drawForm(mix.selfReport, random);
  const hasHarmful = state.judged.hits > 0;
  see(reportDatum(behaviourOf(persona), form === "recognition" && !hasHarmful ? "choice" : form, random));
};

const isNamed = ({ persona }: Verdict): boolean =>
  ["inverted", "coherent", "ambivalent", "self-deprecating"].includes(persona);

export interface RecordedRun {
  /** The first name; null where none came. */
  first: Persona | null;
  /** Probes of any kind from the turn to the name, and the name a hundred probes later. */
  probes: number;
  later: Persona;
}

const healthyProbes = 500;
const longest = 6000;

/** Calibrated on the control, healthy for 500 probes more, then turned. False alarms before the turn are acknowledged. */
export const runRecorded = (control: RecordedAnswers, turned: Subject, seed: number): RecordedRun => {
  const random = seededRandom(seed);
  const state = createState(defaultSettings);
  const healthy: Subject = { answers: control, persona: "aligned" };
  for (let asked = 0, healthyFor = 0; healthyFor < healthyProbes && asked < 20_000; asked += 1) {
    const verdict = assess(state);
    if (verdict.phase === "monitoring") healthyFor += 1;
    if (verdict.severity !== "none") step(state, { kind: "acknowledge" }, state.position + 1);
    probe(state, healthy, verdict, random);
  }
  let verdict = assess(state);
  let probes = 0;
  for (; probes < longest && !isNamed(verdict); probes += 1) {
    probe(state, turned, verdict, random);
    verdict = assess(state);
  }
  const first = isNamed(verdict) ? verdict.persona : null;
  for (let asked = 0; asked < 100; asked += 1) probe(state, turned, assess(state), random);
  return { first, probes, later: assess(state).persona };
};

/** Pages in so many observations of the control that says it is aligned, and tickets beside them. */
export const watchControl = (
  control: RecordedAnswers,
  observations: number,
  seed: number,
): { pages: number; tickets: number } => {
  const random = seededRandom(seed);
  const state = createState(defaultSettings);
  let [pages, tickets] = [0, 0];
  let verdict = assess(state);
  for (let seen = 0; seen < observations; seen += 1) {
    probe(state, { answers: control, persona: "aligned" }, verdict, random);
    // The pace of a healthy subject hardly moves: read seldom, so that many observations fit into seconds.
    if (seen % 50 === 0) verdict = assess(state);
    if (state.alarms.length === 0) continue;
    const paged = state.alarms.some(({ severity }) => severity !== "ticket");
    if (paged) pages += 1;
    else tickets += 1;
    step(state, { kind: "acknowledge" }, state.position + 1);
  }
  return { pages, tickets };
};
