/**
 * `candor calibrate`: the score from which an answer counts as harmful, chosen on a site's own answers: labelled ones in
 * a file, or the scores that were recorded while the baseline was learned, which it takes for harmless and says so.
 */
import { judgeRows } from "../classify/training/judged-rows.ts";
import { readLabelledFile } from "../classify/training/labelled-file.ts";
import { type BestThreshold, thresholdForRate, thresholdOfMostDivergence } from "../classify/training/thresholds.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { clopperPearsonUpper } from "../persona/bounds.ts";
import { defaultSettings } from "../persona/settings.ts";
import { type Command, onlyPositional, readFlags, UsageError } from "./command.ts";
import { judgingOffline } from "./judging-offline.ts";
import { recordedScores } from "./recorded-scores.ts";

const flags = {
  config: { type: "string" },
  "from-evidence": { type: "boolean", default: false },
  subject: { type: "string" },
  fpr: { type: "string" },
  "max-kl": { type: "boolean", default: false },
  "harm-rate": { type: "string" },
  json: { type: "boolean", default: false },
} as const;

/** Answers of one classifier; `harmful` is null where nobody labelled them, which takes them for harmless. */
interface Answers {
  source: string;
  probes: boolean;
  rows: { score: number; harmful: boolean }[];
}

type Aim = { kind: "rate"; rate: number } | { kind: "divergence"; harmRate: number };

interface Choice {
  source: string;
  field: "threshold" | "probeThreshold";
  threshold: number;
  harmless: number;
  /** Share of these harmless answers that reach the threshold, and what it may be of all, at 95 %. */
  falsePositive: number;
  falsePositiveAtMost: number;
  /** Share of the labelled harmful answers; null without any. */
  truePositive: number | null;
  /** Where the detector's gain was what was asked for. */
  gain: BestThreshold | null;
}

/** A share above 0 and below 1. */
const share = (flag: string, text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < 1))
    throw new UsageError(`--${flag} is "${text}": give a share above 0 and below 1, such as 0.01`);
  return value;
};

const readAim = (fpr: string | undefined, maxKl: boolean, harmRate: string | undefined): Aim => {
  if (maxKl && fpr === undefined && harmRate !== undefined)
    return { kind: "divergence", harmRate: share("harm-rate", harmRate) };
  if (!maxKl && fpr !== undefined && harmRate === undefined) return { kind: "rate", rate: share("fpr", fpr) };
  throw new UsageError("give either --fpr with a rate, or --max-kl and --harm-rate with a rate");
};

/** As the detector's baseline: the largest rate that is not at odds with what was seen. */
const nullMeanOf = (flagged: number, of: number): number =>
  clopperPearsonUpper(flagged, of, defaultSettings.calibration.alpha);

const least = 100;

const check = ({ source, rows }: Answers, aim: Aim): void => {
  const harmful = rows.filter((row) => row.harmful).length;
  const harmless = rows.length - harmful;
  if (harmless < least)
    throw new Error(`${source}: there are ${harmless} harmless answers: a threshold needs at least ${least}`);
  if (aim.kind === "rate" && harmless * aim.rate < 1)
    throw new Error(
      `${source}: ${harmless} harmless answers say nothing about a rate of ${aim.rate}: give ${Math.ceil(1 / aim.rate)} or more, or a higher rate`,
    );
  if (aim.kind === "divergence" && harmful === 0)
    throw new Error(`${source}: no answer is labelled harmful: --max-kl needs some; use --fpr`);
};

const thresholdFor = (answers: Answers, aim: Aim): { threshold: number; gain: BestThreshold | null } => {
  const { source, rows } = answers;
  if (aim.kind === "divergence") {
    const gain = thresholdOfMostDivergence(rows, aim.harmRate, nullMeanOf);
    if (gain === null)
      throw new Error(`${source}: at no threshold would a harm rate of ${aim.harmRate} show; label more answers`);
    return { threshold: gain.threshold, gain };
  }
  const harmless = rows.filter((row) => !row.harmful).map(({ score }) => score);
  const threshold = thresholdForRate(harmless, aim.rate);
  if (threshold === null)
    throw new Error(
      `${source}: more than ${aim.rate} of the harmless answers have the highest score; give a higher rate`,
    );
  return { threshold, gain: null };
};

const choose = (answers: Answers, aim: Aim): Choice => {
  check(answers, aim);
  const { threshold, gain } = thresholdFor(answers, aim);
  const of = (harmful: boolean) => answers.rows.filter((row) => row.harmful === harmful);
  const reached = (rows: Answers["rows"]) => rows.filter(({ score }) => score >= threshold).length;
  const [harmful, harmless] = [of(true), of(false)];
  return {
    source: answers.source,
    field: answers.probes ? "probeThreshold" : "threshold",
    threshold,
    harmless: harmless.length,
    falsePositive: reached(harmless) / harmless.length,
    falsePositiveAtMost: clopperPearsonUpper(reached(harmless), harmless.length, 0.05),
    truePositive: harmful.length === 0 ? null : reached(harmful) / harmful.length,
    gain,
  };
};

const fromFile = async (path: string, config: string | undefined, env: NodeJS.ProcessEnv): Promise<Answers[]> => {
  const { rows } = await readLabelledFile(path);
  await using judging = await judgingOffline(config, env);
  const { bySource, errors } = await judgeRows(rows, judging.classifier, judging);
  if (errors.size > 0) {
    const reasons = [...errors].map(([reason, count]) => `${count} ${reason}`).join(", ");
    throw new Error(
      `not all of ${path} could be judged (${reasons}): a threshold chosen on the rest would be another one`,
    );
  }
  return [...bySource].map(([source, judged]) => ({
    source,
    // One classifier for both has one threshold for both.
    probes: judged.every(({ harmProbe }) => harmProbe),
    rows: judged,
  }));
};

const subjectOf = (config: Config, asked: string | undefined): string => {
  const ids = config.subjects.map(({ id }) => id);
  const id = asked ?? (ids.length === 1 ? ids[0] : undefined);
  if (id !== undefined && ids.includes(id)) return id;
  throw new UsageError(`give --subject with one of ${ids.join(", ")}`);
};

const fromEvidence = async (path: string | undefined, subject: string | undefined): Promise<Answers[]> => {
  if (path === undefined) throw new UsageError("--from-evidence needs --config, which says where the evidence is");
  const config = await loadConfig(path);
  const id = subjectOf(config, subject);
  const recorded = recordedScores(config.evidence.path, id);
  if (recorded.length === 0) throw new Error(`${config.evidence.path}: no judged answer of ${id} is recorded`);
  for (const probes of [false, true]) {
    const sources = recorded.filter((some) => some.probes === probes).map(({ source }) => source);
    if (sources.length > 1)
      throw new Error(
        `${config.evidence.path}: several classifiers judged these answers (${sources.join(", ")}); their scores can't be compared`,
      );
  }
  return recorded.map(({ source, probes, scores }) => ({
    source,
    probes,
    rows: scores.map((score) => ({ score, harmful: false })),
  }));
};

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

const linesOf = ({ source, field, harmless, gain, ...choice }: Choice): string[] => [
  `# ${source}, ${field}: ${percent(choice.falsePositive)} of ${harmless} harmless answers reach it (95 % sure: at most ${percent(choice.falsePositiveAtMost)})${
    choice.truePositive === null ? "" : `, ${percent(choice.truePositive)} of the harmful`
  }`,
  ...(gain === null
    ? []
    : [
        `# a page takes about ${Math.ceil(Math.log(defaultSettings.thresholds.page) / gain.divergence)} answers at that harm rate: ${percent(gain.flagged)} flagged where at most ${percent(gain.nullMean)} are normal`,
      ]),
];

export const calibrate: Command = {
  name: "calibrate",
  usage:
    "calibrate FILE [--config CONFIG] (--fpr RATE | --max-kl --harm-rate RATE) [--json]\n" +
    "       candor calibrate --from-evidence --config CONFIG [--subject ID] --fpr RATE [--json]",
  summary: "choose the threshold of the configured classifier on labelled answers, or on recorded scores",
  async run(args, { out, err, env }) {
    const { values, positionals } = readFlags(args, flags);
    const aim = readAim(values.fpr, values["max-kl"], values["harm-rate"]);
    const recorded = values["from-evidence"];
    if (recorded && positionals.length > 0) throw new UsageError("give either a file or --from-evidence");
    if (recorded && aim.kind === "divergence")
      throw new UsageError("--max-kl needs labels, and the evidence has none: use --fpr, or a file");
    const answers = recorded
      ? await fromEvidence(values.config, values.subject)
      : await fromFile(onlyPositional(positionals, "a file of labelled answers"), values.config, env);
    const choices = answers.map((some) => choose(some, aim));
    const assumption = recorded
      ? "Nobody labelled these answers: every one that the baseline was learned from is taken for harmless. If the subject did harm then, the thresholds are too high."
      : null;
    if (values.json) {
      out(JSON.stringify({ assumption, choices }));
      return 0;
    }
    if (assumption !== null) err(assumption);
    for (const choice of choices) for (const line of linesOf(choice)) out(line);
    out(["classify:", ...choices.map(({ field, threshold }) => `  ${field}: ${threshold}`)].join("\n"));
    return 0;
  },
};
