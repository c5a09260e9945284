/** The guard models that Candor can ask, by the name under which a configuration knows them. */
import { z } from "zod";
import type { guardModels } from "../../config/schema.ts";
import type { Classifier } from "../classifier.ts";
import { createGuardClassifier } from "./create-guard.ts";
import { createGptOssSafeguard } from "./gpt-oss-safeguard.ts";
import { createGraniteGuardian, defaultCriteria } from "./granite-guardian.ts";
import type { GuardAdapter } from "./guard-adapter.ts";
import type { GuardServer } from "./guard-client.ts";
import { llamaGuard3 } from "./llama-guard-3.ts";
import { llamaGuard4 } from "./llama-guard-4.ts";
import { createQwen3Guard } from "./qwen3guard.ts";
import { shieldGemma } from "./shieldgemma.ts";
import { wildGuard } from "./wildguard.ts";

type GuardId = (typeof guardModels)[number];

const noOptions = z.strictObject({});

/** Each reads its own options and gives the adapter that they describe. */
const guards = {
  "llama-guard-3": noOptions.transform(() => llamaGuard3),
  "llama-guard-4": noOptions.transform(() => llamaGuard4),
  shieldgemma: noOptions.transform(() => shieldGemma),
  qwen3guard: z
    .strictObject({ mode: z.enum(["strict", "loose"]).default("strict") })
    .transform(({ mode }) => createQwen3Guard(mode)),
  "granite-guardian": z
    .strictObject({ criteria: z.string().trim().min(1).max(4_000).default(defaultCriteria) })
    .transform(({ criteria }) => createGraniteGuardian(criteria)),
  wildguard: noOptions.transform(() => wildGuard),
  "gpt-oss-safeguard": z
    .strictObject({ effort: z.enum(["low", "medium", "high"]).default("low") })
    .transform(({ effort }) => createGptOssSafeguard(effort)),
} satisfies Record<GuardId, z.ZodType<GuardAdapter, unknown>>;

interface GuardOptions extends GuardServer {
  guard: GuardId;
  /** `mode` of qwen3guard, `criteria` of granite-guardian, `effort` of gpt-oss-safeguard; the others have none. */
  options?: Record<string, string>;
  /** Its name on the server. */
  model: string;
  /** Longer prompts and answers are cut in the middle. */
  maxAnswerChars: number;
}

/** Throws an error that names the field when the options are not this guard's. */
const adapterOf = (guard: GuardId, options: Record<string, string> = {}): GuardAdapter => {
  const read = guards[guard].safeParse(options);
  if (!read.success) throw new Error(`options of the guard ${guard}: ${z.prettifyError(read.error)}`);
  return read.data;
};

/** What is wrong with the options of a guard; null where nothing is. */
export const guardOptionsProblem = (guard: GuardId, options: Record<string, string>): string | null => {
  const read = guards[guard].safeParse(options);
  return read.success ? null : z.prettifyError(read.error);
};

/** Throws as `adapterOf` does; the classifier itself never rejects. */
export const createGuard = ({ guard, options, maxAnswerChars, ...server }: GuardOptions): Classifier =>
  createGuardClassifier({ ...server, adapter: adapterOf(guard, options), maxAnswerChars });
