/** `candor schema`: prints the configuration's JSON Schema, for editors. */
import { configJsonSchema } from "../config/json-schema.ts";
import type { Command } from "./command.ts";

export const schema: Command = {
  name: "schema",
  usage: "schema",
  summary: "print the JSON Schema of the configuration",
  async run(_args, { out }) {
    out(JSON.stringify(configJsonSchema(), null, 2));
    return 0;
  },
};
