/** `candor schema`: prints the JSON Schemas of what people write, for editors. */
import { configJsonSchema } from "../config/json-schema.ts";
import { policyJsonSchema } from "../guard/policy-json-schema.ts";
import { type Command, readFlags } from "./command.ts";

export const schema: Command = {
  name: "schema",
  usage: "schema [--policies]",
  summary: "print the JSON Schema of the configuration, or of files of policies",
  async run(args, { out }) {
    const { values } = readFlags(args, { policies: { type: "boolean", default: false } });
    out(JSON.stringify(values.policies ? policyJsonSchema() : configJsonSchema(), null, 2));
    return 0;
  },
};
