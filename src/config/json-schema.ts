/** The configuration's JSON Schema, for editors and for validation outside of Candor. */
import { z } from "zod";
import { configSchema } from "./schema.ts";

export const configJsonSchema = (): Record<string, unknown> => ({
  ...z.toJSONSchema(configSchema, { io: "input", target: "draft-2020-12" }),
  title: "Candor configuration",
});
