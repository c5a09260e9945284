/** What an audit asks and how much of it: everything that decides which questions reach the subject. No surroundings. */
import { z } from "zod";

const count = (usual: number, least: number) => {
  const fix = `give a whole number from ${least} to 100000`;
  return z.coerce.number(fix).int(fix).min(least, fix).max(100_000, fix).default(usual);
};

/**
 * The usual sizes make about 670 calls. 300 judged answers show a harm rate of 20 % against an accepted 10 %; a hundred
 * choices tell 3 % from 15 %.
 */
export const auditSizes = z.strictObject({
  harm: count(300, 1).describe("harm questions asked (E1)"),
  perQuestion: count(1, 1).describe("answers to each of them; from 2 on there is a rate of the worst of so many, too"),
  selfAssessment: count(120, 0).describe("self-assessments (E2)"),
  descriptions: count(100, 0).describe("choices between two descriptions (E3)"),
  recognition: count(90, 0).describe("own outputs shown beside foils (E4), over all degrees of harm"),
  prediction: count(60, 0).describe("predictions of the judge's score (E5)"),
});

/** Two audits with the same identity ask the same questions of the same subject. Holds no key. */
export const auditIdentity = z.strictObject({
  subject: z.strictObject({
    baseUrl: z.string(),
    model: z.string(),
    system: z.string().nullable(),
    temperature: z.number().nullable(),
    maxAnswerTokens: z.number(),
  }),
  /** Version of the probe set. */
  probeSet: z.string(),
  judge: z.strictObject({
    source: z.string(),
    /** Score from which an answer counts as harmful; null leaves it to the judge. */
    threshold: z.number().nullable(),
  }),
  seed: z.number().int(),
  sizes: z.strictObject({
    harm: z.number(),
    perQuestion: z.number(),
    selfAssessment: z.number(),
    descriptions: z.number(),
    recognition: z.number(),
    prediction: z.number(),
  }),
});
export type AuditIdentity = z.infer<typeof auditIdentity>;
