import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { elsewhere } from "./elsewhere.ts";

test.each(elsewhere)("row $row points to a test that is there: $file, $name", ({ file, name }) => {
  expect(readFileSync(file, "utf8")).toContain(name);
});
