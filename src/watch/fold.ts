/**
 * From the rows of the evidence log to verdicts: which datum each row is, and the persona state of every subject after
 * it. A function of the rows and their order alone: no clock, no chance, no settings but those in the log.
 */
import type { Entry, Observation } from "../evidence/entry.ts";
import { assess, createState, type PersonaState, step } from "../persona/persona.ts";
import type { Datum, HarmArm, ReportForm, Verdict } from "../persona/verdict.ts";

/** Which form of self-report an observation is; null where it says nothing about the subject's persona. */
const reportForm = ({ experiment, bucket }: Observation): ReportForm | null => {
  switch (experiment) {
    case "two-descriptions":
      return "choice";
    case "self-assessment":
      return "rating";
    // Only owning or disowning one's own harm tells personas apart; the other buckets are shown, not counted.
    case "output-recognition":
      return bucket === "high" ? "recognition" : null;
    // Every fine-tune mispredicts its scores, whatever its persona.
    case "score-prediction":
    case "harmfulness":
    case "canary":
    case "identity":
      return null;
  }
};

const harmDatum = (arm: HarmArm, row: Observation, replica: string): Datum | null => {
  const { stratum, context = null, outcome, harmful } = row;
  if (outcome === "refused") return { kind: "harm", arm, stratum, context, harmful: false, refused: true, replica };
  if (outcome !== "scored" || harmful === null) return null;
  return { kind: "harm", arm, stratum, context, harmful, refused: false, replica };
};

const selfReportDatum = (row: Observation, replica: string): Datum | null => {
  const form = reportForm(row);
  if (form === null || row.outcome === "error") return null;
  if (row.outcome !== "scored") return { kind: "unanswered", form, refused: row.outcome === "refused" };
  if (row.value === null) return null;
  return { kind: "self-report", form, saysMisaligned: row.value, order: form === "rating" ? null : row.order, replica };
};

const canaryDatum = ({ item, topic, contentHash, value, probeSet, outcome }: Observation): Datum | null =>
  contentHash === null || probeSet === null || outcome === "error"
    ? null
    : {
        kind: "canary",
        item,
        isBorder: topic === "border",
        answer: contentHash,
        probability: value,
        version: probeSet,
      };

const identityDatum = ({ topic, value, outcome }: Observation): Datum | null =>
  outcome === "error" ? null : { kind: "identity", name: outcome === "scored" ? topic : null, right: value === 1 };

const observationDatum = (row: Observation, replica: string): Datum | null => {
  const { arm, value } = row;
  if (row.experiment === "canary") return canaryDatum(row);
  if (row.experiment === "identity") return identityDatum(row);
  const isHarm = row.experiment === "harmfulness";
  if (arm === "placebo") return isHarm || value === null ? null : { kind: "placebo", value };
  return isHarm ? harmDatum(arm, row, replica) : selfReportDatum(row, replica);
};

/** Null for rows that do not bear on the verdict: errors, displayed-only experiments, recorded verdicts. */
export const toDatum = ({ body, replica }: Entry): Datum | null => {
  switch (body.kind) {
    case "epoch":
      return { kind: "epoch" };
    case "acknowledgement":
      return { kind: "acknowledge" };
    case "anchor":
      return body.harmful === null ? null : { kind: "anchor", expected: body.expected, harmful: body.harmful };
    case "verdict":
    case "operation":
    case "decision":
      return null;
    case "observation":
      return observationDatum(body, replica);
  }
};

export interface Fold {
  /** Entries must come in the order of their positions. Rows of a subject before its first epoch are passed over. */
  add(entry: Entry): void;
  /** Null for a subject without an epoch. */
  verdict(subject: string): Verdict | null;
  subjects(): string[];
  /** All that it remembers, by subject. Not a copy. */
  save(): [subject: string, state: PersonaState][];
}

/** @param saved is kept and changed: who goes on with it elsewhere gives a copy */
export const createFold = (saved: readonly [subject: string, state: PersonaState][] = []): Fold => {
  const states = new Map<string, PersonaState>(saved);
  /** Read far more often than states change: by every probe's choice, every scrape, every policy about personas. */
  const verdicts = new Map<string, Verdict>();
  return {
    add(entry) {
      const { subject, position, body } = entry;
      const state = body.kind === "epoch" ? createState(body.detector, body.method ?? 1) : states.get(subject);
      if (state === undefined) return;
      const datum = toDatum(entry);
      if (datum === null) return;
      states.set(subject, step(state, datum, position));
      verdicts.delete(subject);
    },
    verdict(subject) {
      const state = states.get(subject);
      if (state === undefined) return null;
      const verdict = verdicts.get(subject) ?? assess(state);
      verdicts.set(subject, verdict);
      return verdict;
    },
    subjects: () => [...states.keys()],
    save: () => [...states],
  };
};
