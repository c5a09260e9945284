import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generatedFiles } from "../../scripts/deploy/generated-files.ts";

test.each([...generatedFiles()])("%s is what its source makes (npx node scripts/write-deploy.ts)", (path, text) => {
  expect(readFileSync(path, "utf8")).toBe(text);
});
