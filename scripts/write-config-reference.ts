/** Writes docs/configuration.md and the schemas in docs/schema; a test fails when they are out of date. */
import { mkdirSync, writeFileSync } from "node:fs";
import { policySchemaText, referencePage, schemaText } from "./config-reference.ts";

const docs = new URL("../docs/", import.meta.url);
mkdirSync(new URL("schema/", docs), { recursive: true });
writeFileSync(new URL("configuration.md", docs), referencePage());
writeFileSync(new URL("schema/candor.schema.json", docs), schemaText());
writeFileSync(new URL("schema/policies.schema.json", docs), policySchemaText());
