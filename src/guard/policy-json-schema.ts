/** The JSON Schema of files of policies, for editors and for validation outside of Candor. */
import { z } from "zod";
import { policyFileSchema } from "./policy.ts";

export const policyJsonSchema = (): Record<string, unknown> => ({
  ...z.toJSONSchema(policyFileSchema, { io: "input", target: "draft-2020-12" }),
  title: "Candor policies",
});
