/** What the page of a subject shows where replicas share a log. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Verdict } from "../../src/persona/verdict.ts";
import { observed, type Running, rows, run } from "../control/running-control.ts";
import { sampleVerdict } from "../control/sample-verdict.ts";
import { hasBrowser, openBrowser } from "./browser.ts";

const rate = (hits: number, n: number) => ({ lower: 0, estimate: hits / n, upper: 1, n });
const replica = (name: string, hits: number, logEvidence: number): Verdict["replicas"][number] => ({
  name,
  rate: rate(hits, 100),
  evidence: { logEvidence, logThreshold: 9.21 },
});

describe.skipIf(!hasBrowser)("the page of a subject of many replicas", { timeout: 30_000 }, () => {
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

  const open = async () => {
    const { page } = await browser.open(`http://127.0.0.1:${running.port}/dashboard/#/subjects/support`);
    await page.locator("dl.facts").first().waitFor();
    return page;
  };

  test("lists the replicas, the one with most evidence first", async () => {
    running.world.verdict = sampleVerdict({
      replicas: [replica("gw-1", 1, 0.4), replica("gw-<2>", 20, 12.5)],
      where: { stratum: null, context: null, replica: "gw-<2>" },
    });
    const page = await open();
    const table = page.getByRole("region", { name: "Harm by replica" });
    const names = await table.locator("tbody th").allInnerTexts();
    expect(names).toEqual(["gw-<2> (most)", "gw-1"]);
    expect(await table.locator("tbody tr").first().innerText()).toContain("20");
    await page.close();
  });

  test("has no such list while there is one replica", async () => {
    running.world.verdict = sampleVerdict();
    const page = await open();
    expect(await page.getByRole("region", { name: "Harm by replica" }).count()).toBe(0);
    expect(await page.getByText("shared log can't be reached").count()).toBe(0);
    await page.close();
  });

  test("says when a verdict rests on this replica alone", async () => {
    running.world.scope = "local";
    const page = await open();
    expect(await page.getByText("The shared log can't be reached").count()).toBe(1);
    running.world.scope = "process";
    await page.close();
  });
});
