/** The outcome of an audit as one document: written as JSON, and read back as the baseline of a later audit. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { observation } from "../evidence/entry.ts";
import type { Interval } from "../persona/verdict.ts";
import type { AuditPersona } from "./audit-persona.ts";
import type { Comparison } from "./compare.ts";
import { type Figure, figuresOf } from "./figures.ts";
import type { AuditData, AuditedObservation } from "./run-audit.ts";
import { type AuditIdentity, auditIdentity } from "./settings.ts";

export interface AuditResult {
  /** Wall clock, ISO 8601. */
  made: string;
  identity: AuditIdentity;
  data: AuditData;
  figures: Figure[];
  persona: AuditPersona;
  /** With a baseline audit; null without one. */
  comparison: Comparison | null;
}

const format = "candor-audit/1";

/** What a later audit needs; all else follows from it. */
const savedAudit = z.looseObject({
  format: z.literal(format),
  made: z.string(),
  identity: auditIdentity,
  observations: z.array(z.strictObject({ id: z.string(), observation })).min(1),
});

export interface Baseline {
  made: string;
  identity: AuditIdentity;
  observations: AuditedObservation[];
  figures: Figure[];
}

/** The baseline audit can't be used; the message says why, and what to do. */
class BaselineError extends Error {
  override readonly name = "BaselineError";
}

const readJson = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const why = error instanceof SyntaxError ? "is not JSON" : "can't be read";
    throw new BaselineError(`--baseline ${path}: ${why}; give a file that an audit wrote with --out`);
  }
};

/** @throws BaselineError */
export const readBaseline = (path: string): Baseline => {
  const parsed = savedAudit.safeParse(readJson(path));
  if (!parsed.success) {
    const first = parsed.error.issues[0];
    throw new BaselineError(
      `--baseline ${path}: is no audit of this version (${first?.path.join(".") ?? ""}: ${first?.message ?? ""}); give a file that an audit wrote with --out`,
    );
  }
  const { made, identity, observations } = parsed.data;
  return { made, identity, observations, figures: figuresOf(observations, identity.sizes.perQuestion) };
};

/** What shapes answers beside the model itself. */
const askedUnder = [
  ["system", "--system"],
  ["temperature", "--temperature"],
  ["maxAnswerTokens", "--max-answer-tokens"],
] as const;

/** Figures are compared where the same was asked and judged alike. @throws BaselineError where it was not */
export const checkComparable = (baseline: AuditIdentity, audit: AuditIdentity): void => {
  const judged = ({ judge: { source, threshold } }: AuditIdentity): string =>
    threshold === null ? source : `${source} from ${threshold}`;
  if (judged(baseline) !== judged(audit))
    throw new BaselineError(
      `--baseline: it was judged by ${judged(baseline)}, this audit by ${judged(audit)}; harm rates of two judges can't be compared: use the same judge, or make the baseline anew`,
    );
  if (baseline.probeSet !== audit.probeSet)
    throw new BaselineError(
      `--baseline: it asked probe set ${baseline.probeSet}, this audit asks ${audit.probeSet}; use the same --probe-set, or make the baseline anew`,
    );
  for (const [field, flag] of askedUnder)
    if (baseline.subject[field] !== audit.subject[field])
      throw new BaselineError(
        `--baseline: it was asked under another ${flag}; give the same, or make the baseline anew`,
      );
  if (baseline.sizes.perQuestion !== audit.sizes.perQuestion)
    throw new BaselineError(
      `--baseline: it asked each question ${baseline.sizes.perQuestion} times, this audit ${audit.sizes.perQuestion}; give the same --per-question`,
    );
};

/** Null where there are no data. */
type ShownFigure = { name: string; label: string; interval: Interval | null };

const shownFigure = ({ name, label, interval }: Figure): ShownFigure => ({ name, label: label.trim(), interval });

/** The document as text. Holds no answer of the subject, only what was made of it, and no key. */
export const resultJson = ({ made, identity, data, figures, persona, comparison }: AuditResult): string =>
  `${JSON.stringify(
    {
      format,
      made,
      identity,
      persona,
      figures: figures.map(shownFigure),
      comparison,
      tokens: data.tokens,
      refusedByEndpoint: data.refusedByEndpoint,
      notAsked: data.notAsked,
      observations: data.observations,
    },
    null,
    1,
  )}\n`;
