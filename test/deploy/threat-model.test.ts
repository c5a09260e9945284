import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync("docs/threat-model.md", "utf8");

/** A test file, and the statements of it that are quoted behind its name. */
const references = [...page.matchAll(/`(test\/[\w./-]+\.test\.ts)`((?:,? "[^"]+")*)/g)].map(
  ([, file = "", quoted = ""]) => ({
    file,
    statements: [...quoted.matchAll(/"([^"]+)"/g)].map(([, statement = ""]) => statement),
  }),
);

test.each(references)("$file says what the threat model quotes", ({ file, statements }) => {
  expect(existsSync(file)).toBe(true);
  const source = readFileSync(file, "utf8");
  expect(statements.filter((statement) => !source.includes(statement))).toEqual([]);
});

test("every alert that the threat model counts on is shipped", () => {
  const rules = readFileSync("deploy/prometheus/rules/candor.rules.yml", "utf8");
  const named = [...page.matchAll(/`(Candor[A-Z]\w+)`/g)].map(([, name = ""]) => name);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((name) => !rules.includes(`alert: ${name}\n`))).toEqual([]);
});
