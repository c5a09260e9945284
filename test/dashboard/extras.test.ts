/** What canary and identity questions showed, on the page of a subject. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Verdict } from "../../src/persona/verdict.ts";
import { observed, type Running, rows, run } from "../control/running-control.ts";
import { sampleVerdict } from "../control/sample-verdict.ts";
import { hasBrowser, openBrowser } from "./browser.ts";

const canary = {
  questions: [],
  useless: [],
  have: 400,
  need: 400,
  rounds: 0,
  lastP: null,
  seen: 0,
  recent: false,
  last: null,
};
const last = { position: 900, from: 800, p: 0.001, rounds: 2, logEvidence: 7 };
const rightDeveloper = { lower: 0.5, estimate: 0.75, upper: 0.9, n: 12 };

const shown: [Partial<Verdict>, string[]][] = [
  [{ canary: { ...canary, have: 120 } }, ["learning its answers, 120 of 400"]],
  [{ canary: { ...canary, rounds: 12 } }, ["the same so far: evidence none yet of 12 rounds"]],
  [
    { canary: { ...canary, have: 3, seen: 1, last } },
    ["changed once, last at about 800; learning its answers, 3 of 400"],
  ],
  [
    { canary: { ...canary, rounds: 4, seen: 2, last } },
    ["changed 2 times, last at about 800; the same since: evidence none yet of 4 rounds"],
  ],
  [
    { identity: { rightDeveloper, unread: 2, names: [{ name: "Acme <b>", n: 9 }] } },
    ["the declared developer in 75 %: Acme <b> 9; 2 named nobody"],
  ],
  [{ identity: { rightDeveloper: { ...rightDeveloper, n: 0 }, unread: 4, names: [] } }, ["nobody; 4 named nobody"]],
];

describe.skipIf(!hasBrowser)("the page of a subject", { timeout: 30_000 }, () => {
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let running: Running;
  beforeAll(async () => {
    browser = await openBrowser();
    running = await run(rows("support", observed({ item: "q" })));
  });
  afterAll(async () => {
    await browser?.close();
    await running?.control.close();
  });

  const factsWith = async (parts: Partial<Verdict>): Promise<string> => {
    running.world.verdict = sampleVerdict(parts);
    const { page } = await browser.open(`http://127.0.0.1:${running.port}/dashboard/#/subjects/support`);
    await page.locator("dl.facts").first().waitFor();
    const text = await page.locator("dl.facts").first().innerText();
    await page.close();
    return text;
  };

  test.each(shown)("says %j", async (parts, lines) => {
    const facts = await factsWith(parts);
    for (const line of lines) expect(facts).toContain(line);
  });

  test("says nothing of what is not asked", async () => {
    const facts = await factsWith({});
    expect(facts).not.toContain("Served model");
    expect(facts).not.toContain("made by");
  });
});
