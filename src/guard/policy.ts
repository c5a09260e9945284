/**
 * What an operator may write as a policy. A policy is data: nothing in it is ever run as code, and what it can't say is
 * an error when it is read, never a policy that silently does less.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { type CarrierKind, type Gap, gaps } from "../dialect/carriers.ts";
import { canonicalJson } from "../kernel/canonical-json.ts";
import { type PersonalDataKind, personalDataKinds } from "./finding/personal-data.ts";
import { type SecretKind, secretKinds } from "./finding/secrets.ts";
import { denies } from "./guard.ts";
import { type HiddenKind, hiddenKinds } from "./normalise/hidden-text.ts";

const carrierKinds = [
  "message",
  "tool-definition",
  "tool-arguments",
  "tool-result",
  "reasoning",
  "refusal",
  "parameter",
  "logprobs",
] as const satisfies readonly CarrierKind[];

/** Text that is there and was not read: a policy that denies must not be got past by size, encoding or damage. */
const unreadText: Gap[] = ["unreadable-body", "encoded-body", "too-large", "unknown-part"];

/** What a text, or the exchange that it stands in, must be. `all` is about one carrier's text. */
export type Match =
  | { any: Match[] }
  | { all: Match[] }
  | { not: Match }
  | { terms: string[] }
  | { regex: string }
  | { secrets: "all" | SecretKind[] }
  | { personalData: "all" | PersonalDataKind[] }
  | { hidden: HiddenKind[] }
  | { encoded: { atLeast: number } }
  | { score: { atLeast: number } }
  | { judge: { question: string } }
  | { tools: { only?: string[] | undefined; never?: string[] | undefined } }
  | { size: Size };

export type Size = { [K in (typeof measures)[number]]?: number | undefined };
/** Of one text; of all texts together; how many messages, and how many tools, there are. */
export const measures = ["characters", "totalCharacters", "messages", "tools"] as const;

const globs = z.array(z.string().regex(/^[\w.:*-]+$/, "use a tool's name; * stands for any letters")).min(1);
const most = z.number().int().min(0);

const match: z.ZodType<Match> = z.lazy(() =>
  z.union(
    [
      z.strictObject({ any: z.array(match).min(1) }),
      z.strictObject({ all: z.array(match).min(1) }),
      z.strictObject({ not: match }),
      z.strictObject({ terms: z.array(z.string().trim().min(1)).min(1).describe("whole words and phrases, any case") }),
      z.strictObject({ regex: z.string().min(1).describe("an expression of RE2: linear time, no look-around") }),
      z.strictObject({
        secrets: z.union([z.literal("all"), z.array(z.enum(secretKinds)).min(1)]).describe("keys, tokens, passwords"),
      }),
      z.strictObject({
        personalData: z
          .union([z.literal("all"), z.array(z.enum(personalDataKinds)).min(1)])
          .describe("of which numbers with a checksum are checked"),
      }),
      z.strictObject({ hidden: z.array(z.enum(hiddenKinds)).min(1).describe("text that people can't see") }),
      z.strictObject({
        encoded: z
          .strictObject({ atLeast: z.number().int().min(16) })
          .describe("stretches of base64 or hexadecimal of at least so many characters that stand for text"),
      }),
      z.strictObject({
        score: z
          .strictObject({ atLeast: z.number().min(0).max(1) })
          .describe("harm by the configured classifier; comparable between texts of the same classifier only"),
      }),
      z.strictObject({
        judge: z
          .strictObject({ question: z.string().trim().min(10).max(2_000) })
          .describe("a question about the text that the judge of `classify.judge` answers with yes or no"),
      }),
      z.strictObject({
        tools: z
          .strictObject({ only: globs.optional(), never: globs.optional() })
          .refine(({ only, never }) => (only === undefined) !== (never === undefined), "use one of only or never")
          .describe("calls and offers of tools by name: those not in `only`, or those in `never`"),
      }),
      z.strictObject({
        size: z
          .strictObject({
            characters: most.optional().describe("of one text"),
            totalCharacters: most.optional().describe("of all texts together"),
            messages: most.optional(),
            tools: most.optional(),
          })
          .refine((size) => Object.values(size).some((value) => value !== undefined), "name at least one bound")
          .describe("more than this"),
      }),
    ],
    {
      error:
        "use one of any, all, not, terms, regex, secrets, personalData, hidden, encoded, score, judge, tools or size",
    },
  ),
);

/** Whether any part of a match is of this form. */
export const uses = (condition: Match, form: "score" | "judge" | "tools"): boolean => {
  if ("any" in condition) return condition.any.some((part) => uses(part, form));
  if ("all" in condition) return condition.all.some((part) => uses(part, form));
  if ("not" in condition) return uses(condition.not, form);
  return form in condition;
};

const names = z.array(z.string().min(1)).min(1);
/** Of a policy that looks for nothing. */
const nothing: Match = { any: [] };

export const policySchema = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "use small letters, digits and hyphens, at most 64"),
    description: z.string().min(1),
    severity: z.enum(["low", "medium", "high", "critical"]).default("medium").describe("for people and dashboards"),
    stage: z.enum(["request", "response"]),
    where: z
      .strictObject({
        subjects: names.optional().describe("ids of subjects; default: all traffic"),
        routes: names.optional().describe("names of the relay's routes"),
        carriers: z
          .array(z.enum(carrierKinds))
          .min(1)
          .optional()
          .describe("where in the exchange; default: everywhere"),
        personas: names.optional().describe("only while the verdict on the subject names one of these"),
        headers: z
          .record(z.string().regex(/^[a-z0-9-]+$/, "use small letters"), z.string().min(1))
          .optional()
          .describe("only requests with these headers; * at the end of a value stands for any letters"),
      })
      .prefault({}),
    match: match.optional().describe("required for every action but allow, which has none"),
    except: names
      .optional()
      .describe("texts that are not meant where they are found, whole and in any case; * stands for any letters"),
    gaps: z
      .array(z.enum(gaps))
      .optional()
      .describe(
        "what, where it can't be inspected, counts as a match; default: for block and refuse, text that can't be read",
      ),
    action: z.enum(["allow", "flag", "redact", "reroute", "refuse", "block"]),
    exempts: names.optional().describe("allow: ids of the policies that are not applied where this one holds"),
    mode: z.enum(["enforce", "shadow"]).default("enforce").describe("shadow: counted, changes nothing"),
    enforceWhile: names.optional().describe("personas of the subject during which a policy in shadow is in force"),
    normalise: z
      .boolean()
      .default(true)
      .describe("also look behind look-alike letters, invisible characters, spacing and encodings"),
    onError: z
      .enum(["block", "allow"])
      .optional()
      .describe("when a classifier or judge fails; default: block where the policy denies, else allow"),
    timeoutMs: z.number().int().min(10).max(120_000).default(10_000).describe("for a classifier or judge"),
    message: z.string().min(1).optional().describe("what the client reads of a block or refusal"),
    replacement: z.string().default("[redacted]").describe("stands where text was redacted"),
    to: z.string().min(1).optional().describe("reroute: id of the other subject"),
  })
  .superRefine((policy, context) => {
    const { action, stage, mode, to, match: condition = nothing, enforceWhile, gaps: uninspected = [] } = policy;
    const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (action === "allow") {
      if (policy.exempts === undefined) wrong("exempts", "an exception needs the ids of the policies that it is from");
      for (const field of ["match", "except", "gaps", "enforceWhile", "message", "to"] as const)
        if (policy[field] !== undefined) wrong(field, "an exception holds for all of an exchange: say when in `where`");
      if (policy.where.carriers !== undefined) wrong("where", "an exception holds for all of an exchange: no carriers");
      if (mode === "shadow") wrong("mode", "an exception is made or not: leave it out to see what would be found");
    } else {
      if (policy.match === undefined) wrong("match", "say what the policy looks for");
      if (policy.exempts !== undefined) wrong("exempts", "only a policy that allows can exempt from others");
    }
    if (action === "reroute" && to === undefined) wrong("to", "a reroute needs the id of a subject");
    if (action === "reroute" && stage === "response") wrong("stage", "only requests can be rerouted");
    if (action === "redact" && uninspected.length > 0)
      wrong("gaps", "what can't be inspected can't be redacted; use block, refuse or flag");
    if (action === "redact" && (uses(condition, "tools") || uses(condition, "score") || uses(condition, "judge")))
      wrong("match", "tools, scores and a judge's answer are about a text as a whole: use block, refuse or flag");
    if (enforceWhile !== undefined && mode !== "shadow")
      wrong("enforceWhile", "a policy that is in force anyway needs no persona for it: use mode: shadow");
  })
  .transform((policy) => ({
    ...policy,
    match: policy.match ?? nothing,
    gaps: policy.gaps ?? (denies(policy.action) ? unreadText : []),
    onError: policy.onError ?? (denies(policy.action) ? ("block" as const) : ("allow" as const)),
  }));

export type Policy = z.infer<typeof policySchema>;

/** Changes with whatever in a policy does. */
export const policyVersion = (policy: Policy): string =>
  createHash("sha256").update(canonicalJson(policy)).digest("hex").slice(0, 16);

export const policyFileSchema = z.strictObject({ policies: z.array(policySchema).min(1) });
