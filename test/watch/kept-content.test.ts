import { expect, it } from "vitest";
import { keptContent } from "../../src/watch/kept-content.ts";

const text =
  "Write to jane.doe@example.org or call +49 30 1234567; token sk-abcdefghijklmnopqrstuvwxyz123456 at https://x.example/a?b";

it("by default nothing but the hash is kept", () => {
  expect(keptContent("hash")(text)).toBeNull();
});

it("everything is kept where the operator opted in", () => {
  expect(keptContent("full")(text)).toBe(text);
});

it("an excerpt holds no address, number, key or link", () => {
  expect(keptContent("excerpt")(text)).toBe("Write to [address] or call [number]; token [token] at [link]");
});

it("an excerpt is short, and what straddles its end is redacted as a whole", () => {
  const excerpt = keptContent("excerpt")(`${"word ".repeat(38)}someone.with.a.long.name@example.org and more`);
  expect(excerpt?.length).toBeLessThanOrEqual(201);
  expect(excerpt).not.toContain("someone");
});

it("what a very long text is cut through does not stay as a half", () => {
  const links = `${"https://a.example/".padEnd(3_990, "x")} jane.doe@example.org`;
  expect(keptContent("excerpt")(links)).toBe("[link] ");
});
