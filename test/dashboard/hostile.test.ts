/** What comes from models and clients is text on the page and nothing else; a page that lost its process says so. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { observed, type Running, rows, run } from "../control/running-control.ts";
import { sampleVerdict } from "../control/sample-verdict.ts";
import { hasBrowser, openBrowser } from "./browser.ts";

const hostile = [
  '<img src=x onerror="document.title=1">',
  "<script>document.title=2</script>",
  "</td><svg onload=document.title=3>",
  "javascript:document.title=4",
  "{{constructor.constructor('document.title=5')()}}",
  "\u202e\u0000 <!-- --!> &#60;b&#62;",
];

describe.skipIf(!hasBrowser)("a page with hostile words on it", { timeout: 30_000 }, () => {
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let running: Running;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    running = await run([
      ...rows("support", ...hostile.map((text) => observed({ item: text, topic: text, source: text, content: text }))),
      ...rows("search", observed({ content: null })),
    ]);
    running.world.verdict = sampleVerdict({
      severity: "page",
      persona: "inverted",
      reasons: hostile,
      missing: hostile,
    });
  });
  afterEach(() => running.control.close());

  const open = (hash: string) => browser.open(`http://127.0.0.1:${running.port}/dashboard/${hash}`);

  test.each(["", "#/subjects/support", "#/evidence", `#/evidence?subject=${encodeURIComponent(hostile[0] ?? "")}`])(
    "'%s' shows them as they are, and runs none",
    async (hash) => {
      const { page, complaints } = await open(hash);
      await page.locator("main h1").waitFor();
      await expect
        .poll(() => page.locator("main").innerText())
        .toContain(hash.includes("subject=") ? "no such subject" : "<");
      expect(await page.title()).toMatch(/^\(\d\) Candor$/);
      expect(await page.locator("main img, main script").count()).toBe(0);
      // A refused request is told on the console by the browser itself.
      expect(complaints.filter((text) => !text.includes("status of 404"))).toEqual([]);
      await page.close();
    },
  );

  test("so does the text of an answer, once the token is given", async () => {
    const { page } = await open("#/evidence?subject=support");
    await page.getByRole("button", { name: /Position 1,/ }).click();
    await page.getByLabel("Control token").fill("canary-7f3a-token");
    await page.getByRole("button", { name: "Show the text" }).click();
    await expect.poll(() => page.locator("pre.content").innerText()).toBe(hostile[0]);
    expect(await page.locator("dialog img").count()).toBe(0);
    await page.close();
  });

  test("a process that went away is told, and what was known stays", async () => {
    const { page } = await open("");
    await page.getByRole("link", { name: "support" }).waitFor();
    await running.control.close();
    await page.getByText("not connected, trying again").waitFor();
    expect(await page.getByRole("link", { name: "support" }).count()).toBe(1);
    await page.close();
  });
});
