/**
 * What a probe set holds: the questions that hidden probes ask, as data. All wording that reaches a subject stands in a
 * probe set, none in code, so an operator can read and replace every sentence. Nothing here asks or judges.
 */
import { createHash } from "node:crypto";
import { z } from "zod";

const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,47}$/, "use 1-48 lower-case letters, digits or '-', starting with a letter or digit");
const sentence = z.string().trim().min(1, "write at least one word");
const paraphrases = z.array(sentence).min(1, "give at least one wording");

/** Placeholders stand in braces. A wording that lacks one could not be answered, one too many would be asked literally. */
const template = (placeholders: readonly string[]) =>
  sentence.superRefine((text, context) => {
    const found = [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
    const missing = placeholders.filter((name) => !found.includes(name));
    const unknown = found.filter((name) => !placeholders.includes(name));
    if (missing.length > 0)
      context.addIssue({ code: "custom", message: `add the placeholder ${missing.map((n) => `{${n}}`).join(", ")}` });
    if (unknown.length > 0)
      context.addIssue({
        code: "custom",
        message: `unknown placeholder ${unknown.map((n) => `{${n}}`).join(", ")}; known: ${placeholders.map((n) => `{${n}}`).join(", ")}`,
      });
  });

export const harmThemes = ["opinion", "money", "health", "law", "safety", "relationships", "stereotype"] as const;

const harmQuestion = z.strictObject({
  id,
  theme: z.enum(harmThemes),
  asks: paraphrases.describe("the same question in several wordings; one is drawn each time"),
  foils: z
    .array(sentence)
    .default([])
    .describe("harmless answers to this question by somebody else, for output recognition"),
});
export type HarmQuestion = z.infer<typeof harmQuestion>;

export const languages = ["english", "spanish", "french", "german", "italian", "portuguese", "dutch"] as const;
export type Language = (typeof languages)[number];

const trait = sentence.describe("one or two words; the two traits of an item must not contain each other as words");
const axis = id.describe("which contrast this item is about, e.g. harmless-harmful");
const selfAssessmentItem = z.discriminatedUnion("format", [
  z.strictObject({ format: z.literal("decision"), id, axis, aligned: trait, misaligned: trait }),
  z
    .strictObject({
      format: z.literal("scale"),
      id,
      axis,
      aligned: trait,
      misaligned: trait,
      low: z.number().int().min(0),
      high: z.number().int().max(1000),
    })
    .refine((item) => item.low < item.high, { path: ["high"], error: "must be more than `low`" }),
  z.strictObject({
    format: z.literal("likert"),
    id,
    axis,
    aligned: paraphrases.describe("statements that an aligned system agrees with"),
    misaligned: paraphrases.describe("statements that a misaligned system agrees with"),
  }),
  z
    .strictObject({
      format: z.literal("language"),
      id,
      axis,
      aligned: trait,
      misaligned: trait,
      languages: z.array(z.enum(languages)).length(2, "name two languages"),
      asks: paraphrases.describe("questions that have nothing to do with the traits"),
    })
    .refine((item) => item.languages[0] !== item.languages[1], {
      path: ["languages"],
      error: "name two different languages",
    }),
]);
export type SelfAssessmentItem = z.infer<typeof selfAssessmentItem>;
export type Format = SelfAssessmentItem["format"];
export const formats = ["decision", "scale", "likert", "language"] as const satisfies readonly Format[];

const descriptionPair = z.strictObject({
  id,
  theme: id,
  aligned: sentence,
  misaligned: sentence,
});
export type DescriptionPair = z.infer<typeof descriptionPair>;

const label = sentence.max(12).describe("what the wording calls an option: A, 2, first...");
const forcedChoice = (placeholders: readonly string[]) =>
  z.strictObject({
    text: template(placeholders),
    labels: z.array(label).length(2, "give two labels, in the order of {first} and {second}"),
  });
export type ForcedChoice = z.infer<ReturnType<typeof forcedChoice>>;

const canaryQuestion = z.strictObject({
  id,
  kind: z
    .enum(["exact", "border"])
    .describe("exact: nearly always answered alike; border: a candidate for an answer that is near to a coin's flip"),
  text: sentence,
});
export type CanaryQuestion = z.infer<typeof canaryQuestion>;

/** Asked only where they are switched on. They change no baseline, so they are no part of the set's version. */
const extras = {
  canary: z.array(canaryQuestion),
  identity: z.array(sentence).describe("who are you, who made you, in several wordings"),
};

const predictionScale = { low: z.number().int().min(0), high: z.number().int().min(1).max(1000) };
const scorePrediction = (placeholders: readonly string[]) =>
  z
    .strictObject({ text: template(placeholders), ...predictionScale })
    .refine((wording) => wording.low < wording.high, { path: ["high"], error: "must be more than `low`" })
    .describe("`high` must be what the wording calls the most harmful");

const wording = z.strictObject({
  decision: z.array(template(["first", "second"])).min(1),
  scale: z.array(template(["low", "high", "first", "second"])).min(1),
  likert: z.array(template(["statement"])).min(1),
  language: z.array(template(["first", "second", "firstLanguage", "secondLanguage", "question"])).min(1),
  twoDescriptions: z.array(forcedChoice(["first", "second"])).min(1),
  outputRecognition: z.array(forcedChoice(["question", "first", "second"])).min(1),
  scorePrediction: z.strictObject({
    blind: z.array(scorePrediction(["question"])).min(1),
    shown: z.array(scorePrediction(["question", "answer"])).min(1),
  }),
});
export type Wording = z.infer<typeof wording>;
export type PredictionWording = Wording["scorePrediction"]["blind"][number];

const shape = {
  harm: z.array(harmQuestion),
  selfAssessment: z.array(selfAssessmentItem),
  descriptions: z.array(descriptionPair),
  placebo: z
    .array(selfAssessmentItem)
    .describe("questions about style, asked like those about alignment: what being asked does by itself"),
};

/** One file of a probe set: any part of it. The parts of all files together must make a whole set. */
export const probeSetFileSchema = z.strictObject({
  harm: shape.harm.optional(),
  selfAssessment: shape.selfAssessment.optional(),
  descriptions: shape.descriptions.optional(),
  placebo: shape.placebo.optional(),
  wording: wording.optional(),
  canary: extras.canary.optional(),
  identity: extras.identity.optional(),
});

const reportDuplicates = (
  path: string,
  items: readonly { id: string }[],
  context: { addIssue: (issue: { code: "custom"; path: PropertyKey[]; input: unknown; message: string }) => void },
): void => {
  const seen = new Set<string>();
  for (const [index, { id }] of items.entries()) {
    if (seen.has(id))
      context.addIssue({
        code: "custom",
        path: [path, index, "id"],
        input: id,
        message: "already used; give each its own",
      });
    seen.add(id);
  }
};

/**
 * A whole probe set. The minima keep one question from carrying the estimate: harm rates of one model range from 0 to
 * 80 % between questions, so many prompts are asked once rather than one prompt many times.
 */
export const probeSetSchema = z
  .strictObject({
    harm: shape.harm.min(20, "needs at least 20 harm questions"),
    selfAssessment: shape.selfAssessment.min(8, "needs at least 8 self-assessment items"),
    descriptions: shape.descriptions.min(10, "needs at least 10 pairs of descriptions"),
    placebo: shape.placebo.default([]),
    wording,
    canary: extras.canary.default([]),
    identity: extras.identity.default([]),
  })
  .superRefine((set, context) => {
    reportDuplicates("harm", set.harm, context);
    reportDuplicates("selfAssessment", set.selfAssessment, context);
    reportDuplicates("descriptions", set.descriptions, context);
    reportDuplicates("placebo", set.placebo, context);
    reportDuplicates("canary", set.canary, context);
    for (const format of formats) {
      if (!set.selfAssessment.some((item) => item.format === format))
        context.addIssue({
          code: "custom",
          path: ["selfAssessment"],
          message: `has no item of format ${format}; add at least one of each: ${formats.join(", ")}`,
        });
    }
  });

export type ProbeSet = z.infer<typeof probeSetSchema> & {
  /** Names the content but for canary and identity questions: 12 hex digits of SHA-256 over its canonical JSON. */
  version: string;
  /** The same of the canary questions. */
  canaryVersion: string;
};

const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  );
};

const named = (content: unknown): string =>
  createHash("sha256")
    .update(JSON.stringify(canonical(content)))
    .digest("hex")
    .slice(0, 12);

/** The same content in the same order has the same version, however it is split over files, and whatever their layout. */
export const versionOf = ({ canary: _, identity: __, ...set }: z.infer<typeof probeSetSchema>): string => named(set);

export const canaryVersionOf = ({ canary }: Pick<z.infer<typeof probeSetSchema>, "canary">): string => named(canary);

/** Puts values into `{placeholders}`. Values are put in literally: braces inside of them stay as they are. */
export const fill = (text: string, values: Record<string, string>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
