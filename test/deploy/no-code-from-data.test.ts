import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Ways in which text becomes code, or a process is started. */
const ways: readonly [way: string, pattern: RegExp, example: string][] = [
  ["eval", /\beval\s*\(/, 'globalThis.eval("1")'],
  ["Function as a compiler", /(?<![\w.])Function\s*\(/, 'new Function("return 1")'],
  ["timers that take text", /\bset(Timeout|Interval|Immediate)\s*\(\s*["'`]/, 'setTimeout("x()", 1)'],
  [
    "modules that run code",
    /["'](node:)?(vm|child_process|repl|inspector)(\/promises)?["']/,
    'import vm from "node:vm"',
  ],
  ["imports of what is only known at run time", /\bimport\s*\(\s*(?!["'][^"']+["']\s*\))/, "await import(name)"],
  ["the process's own bindings", /\bprocess\.(binding|dlopen)\b/, 'process.binding("spawn_sync")'],
];

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ name, text: readFileSync(`src/${name}`, "utf8") }));

test.each(ways)("nothing in src uses %s", (_way, pattern, example) => {
  expect(example).toMatch(pattern);
  expect(sources.length).toBeGreaterThan(100);
  expect(sources.filter(({ text }) => pattern.test(text)).map(({ name }) => name)).toEqual([]);
});
