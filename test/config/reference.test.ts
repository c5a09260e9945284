import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { policySchemaText, referencePage, schemaText } from "../../scripts/config-reference.ts";
import { parseConfig } from "../../src/config/load.ts";

const docs = new URL("../../docs/", import.meta.url);
const remedy = "run: npx node scripts/write-config-reference.ts";

it("the configuration page says what the schema says", () => {
  expect(readFileSync(new URL("configuration.md", docs), "utf8"), remedy).toBe(referencePage());
});

it("the shipped JSON Schema is the schema", () => {
  expect(readFileSync(new URL("schema/candor.schema.json", docs), "utf8"), remedy).toBe(schemaText());
  expect(readFileSync(new URL("schema/policies.schema.json", docs), "utf8"), remedy).toBe(policySchemaText());
});

it("the example on the page is a valid configuration", () => {
  const yaml = referencePage().split("```yaml\n")[1]?.split("```")[0] ?? "";
  expect(parseConfig(yaml, "example").subjects[0]?.id).toBe("support-bot");
});
