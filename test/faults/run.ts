/**
 * Runs the fault matrix and writes docs/faults.md from what its tests measured. Usage: node test/faults/run.ts; with
 * CANDOR_FULL_FAULTS=1 at the matrix's own sizes.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import type { TestCase, TestModule } from "vitest/node";
import { startVitest } from "vitest/node";
import { elsewhere, notMeasured } from "./elsewhere.ts";
import { isFull, type Measured } from "./measured.ts";

interface Line extends Measured {
  where: string;
}

const isEscaped = /[|\n]/g;
const cell = (text: string): string => text.replaceAll(isEscaped, (mark) => (mark === "|" ? "\\|" : " "));

const testsOf = (modules: readonly TestModule[]): TestCase[] =>
  modules.flatMap((module) => [...module.children.allTests()]);

const fileOf = ({ module }: TestCase): string => module.relativeModuleId;

const measuredLines = (tests: readonly TestCase[]): Line[] =>
  tests.flatMap((test) =>
    (test.meta().measured ?? []).map((measured) => ({
      ...measured,
      where: fileOf(test),
    })),
  );

/** Rows that a test of another folder forces: it was run as well, and found by its name. */
const elsewhereLines = (tests: readonly TestCase[]): Line[] =>
  elsewhere.map(({ file, name, ...fault }) => {
    const found = tests.filter((test) => fileOf(test) === file && test.fullName.includes(name));
    const states = found.map((test) => test.result().state);
    const isMet = found.length > 0 && states.every((state) => state === "passed");
    const counts = [...new Set(states)].map((state) => `${states.filter((one) => one === state).length} ${state}`);
    return { ...fault, seen: `${found.length} tests: ${counts.join(", ") || "not found"}`, isMet, where: file };
  });

const page = (lines: readonly Line[]): string => {
  const { stdout } = spawnSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" });
  const rows = lines
    .toSorted((one, other) => one.row - other.row)
    .map(({ row, fault, target, seen, where, isMet }) =>
      [row, fault, target, seen, isMet ? "held" : "**missed**", `\`${where}\``].map((part) => cell(String(part))),
    );
  return `# Faults

Written by \`${isFull ? "CANDOR_FULL_FAULTS=1 " : ""}npm run faults\` on ${new Date().toISOString().slice(0, 10)}, commit ${stdout.trim()}, Node ${process.version},
${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, ${Math.round(totalmem() / 1e9)} GB; load average at the end ${(loadavg()[0] ?? 0).toFixed(1)}.

What is done to Candor, what is asked of it then, and what was seen. Everything runs on real sockets, real files and, where a
process can die or run full, the real process. Times are those of a machine that did other work as well: where a test
asserts an upper bound of time it takes the luckiest of its attempts; here the unluckiest decides whether a target was held.
${isFull ? "Sizes are those of the matrix." : "Sizes are smaller than those of `CANDOR_FULL_FAULTS=1`, so that every run of the tests can afford them."}

| # | fault | asked | seen | result | test |
|---|---|---|---|---|---|
${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}

## Not in the table

${notMeasured.map(({ row, why }) => `- Row ${row}: ${why}`).join("\n")}
`;
};

// What is measured is what the image runs.
const built = spawnSync("npm", ["run", "build"], { stdio: ["ignore", "ignore", "inherit"] });
if (built.status !== 0) throw new Error("it could not be built");
process.env.CANDOR_TEST_BUILT = "1";

const vitest = await startVitest("test", ["test/faults/", ...new Set(elsewhere.map(({ file }) => file))], {
  watch: false,
  // Each fault has the machine to itself.
  fileParallelism: false,
});
const tests = testsOf(vitest.state.getTestModules());
writeFileSync("docs/faults.md", page([...measuredLines(tests), ...elsewhereLines(tests)]));
await vitest.close();
