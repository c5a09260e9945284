/**
 * What an operator may write as a policy. A policy is data: nothing in it is ever run as code, and what it can't say is
 * an error when it is read, never a policy that silently does less.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { CarrierKind, Gap } from "../dialect/carriers.ts";
import { canonicalJson } from "../kernel/canonical-json.ts";
import { denies } from "./guard.ts";

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

const gaps = [
  "image",
  "audio",
  "file",
  "encrypted-reasoning",
  "unknown-part",
  "unknown-path",
  "unreadable-body",
  "encoded-body",
  "too-large",
] as const satisfies readonly Gap[];

/** Text that is there and was not read: a policy that denies must not be got past by size, encoding or damage. */
const unreadText: Gap[] = ["unreadable-body", "encoded-body", "too-large", "unknown-part"];

/** What a text must hold. `all` is about one carrier's text, not about the exchange. */
export type Match = { any: Match[] } | { all: Match[] } | { not: Match } | { terms: string[] } | { regex: string };

const match: z.ZodType<Match> = z.lazy(() =>
  z.union(
    [
      z.strictObject({ any: z.array(match).min(1) }),
      z.strictObject({ all: z.array(match).min(1) }),
      z.strictObject({ not: match }),
      z.strictObject({ terms: z.array(z.string().trim().min(1)).min(1) }),
      z.strictObject({ regex: z.string().min(1) }),
    ],
    { error: "use one of any, all, not, terms or regex" },
  ),
);

const names = z.array(z.string().min(1)).min(1);

export const policySchema = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "use small letters, digits and hyphens, at most 64"),
    description: z.string().min(1),
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
      })
      .prefault({}),
    match,
    gaps: z
      .array(z.enum(gaps))
      .optional()
      .describe(
        "what, where it can't be inspected, counts as a match; default: for block and refuse, text that can't be read",
      ),
    action: z.enum(["flag", "redact", "reroute", "refuse", "block"]),
    mode: z.enum(["enforce", "shadow"]).default("enforce").describe("shadow: counted, changes nothing"),
    message: z.string().min(1).optional().describe("what the client reads of a block or refusal"),
    replacement: z.string().default("[redacted]").describe("stands where text was redacted"),
    to: z.string().min(1).optional().describe("reroute: id of the other subject"),
  })
  .superRefine(({ action, stage, to, gaps: uninspected = [] }, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (action === "reroute" && to === undefined) wrong("to", "a reroute needs the id of a subject");
    if (action === "reroute" && stage === "response") wrong("stage", "only requests can be rerouted");
    if (action === "redact" && uninspected.length > 0)
      wrong("gaps", "what can't be inspected can't be redacted; use block, refuse or flag");
  })
  .transform((policy) => ({ ...policy, gaps: policy.gaps ?? (denies(policy.action) ? unreadText : []) }));

export type Policy = z.infer<typeof policySchema>;

/** Changes with whatever in a policy does. */
export const policyVersion = (policy: Policy): string =>
  createHash("sha256").update(canonicalJson(policy)).digest("hex").slice(0, 16);

export const policyFileSchema = z.strictObject({ policies: z.array(policySchema).min(1) });
