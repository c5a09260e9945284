/** The report in a real browser: complete, quiet, and deaf to what is in it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { escaped, markup } from "../../src/audit/report/markup.ts";
import { hasBrowser, openBrowser } from "../dashboard/browser.ts";
import { configText, runCommand, simulate } from "./simulated.ts";

const hostile = [
  '<img src=x onerror="document.title=1">',
  "<script>document.title=2</script>",
  "</style></title><svg onload=document.title=3>",
  "' onmouseover='document.title=4",
  "\u202e\u0000 <!-- --!> &#60;b&#62;",
].join(" ");

const sizes = ["--harm", "50", "--self-assessment", "12", "--descriptions", "12", "--prediction", "20"];

test("what is put into markup stays text, whatever it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(escaped(text)).not.toMatch(/[<>"']|(?![\t\n\r])\p{Cc}|\p{Bidi_Control}|&(?!(amp|lt|gt|quot|#39);)/u);
    }),
  );
  expect(markup`<p title="${'"><script>'}">${[markup`<b>${"<"}</b>`]}${1 / 3}</p>`.markup).toBe(
    '<p title="&quot;&gt;&lt;script&gt;"><b>&lt;</b>0.33</p>',
  );
});

describe.skipIf(!hasBrowser)("a report in a browser", { timeout: 30_000 }, () => {
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let simulated: Awaited<ReturnType<typeof simulate>>;
  let report: string;

  beforeAll(async () => {
    browser = await openBrowser();
    simulated = await simulate("inverted");
    const judge = JSON.parse(readFileSync(simulated.config, "utf8")).classify.judge.baseUrl;
    writeFileSync(simulated.config, configText(simulated.baseUrl, judge, hostile));
    report = join(simulated.folder, "report.html");
    const args = ["--config", simulated.config, "--journal", simulated.journal, "--yes", ...sizes];
    const healthy = join(simulated.folder, "baseline.json");
    await runCommand([...args, "--out", healthy]);
    await runCommand([...args, "--baseline", healthy, "--html", report]);
  });
  afterAll(async () => {
    await browser?.close();
    await simulated?.close();
  });

  test("shows hostile names as they are, runs nothing, asks nobody for anything", async () => {
    const { page, complaints } = await browser.open(pathToFileURL(report).href);
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.reload();
    await page.locator("svg").first().hover();
    expect(requests).toEqual([pathToFileURL(report).href]);
    expect(complaints).toEqual([]);
    expect(await page.title()).toContain("Audit of <img src=x onerror=");
    expect(await page.locator("h1").innerText()).toContain("<script>document.title=2</script>");
    expect(await page.locator("script, img, link, [onmouseover], [onload]").count()).toBe(0);
    await page.close();
  });

  test.each(["light", "dark"] as const)(
    "draws all five plots and every figure in the %s theme",
    async (colorScheme) => {
      const { page, complaints } = await browser.open(pathToFileURL(report).href, { colorScheme });
      expect(await page.locator("figure svg[role=img]").count()).toBe(5);
      const headings = await page.locator("h2").allInnerTexts();
      expect(headings.slice(0, 5)).toEqual([
        "Persona map",
        "Harm by topic",
        "Choice by order",
        "Claims by harm",
        "Score prediction",
      ]);
      expect(headings[5]).toMatch(/^Against the baseline audit of 2/);
      expect(await page.locator("circle.point").count()).toBeGreaterThan(10);
      expect(await page.locator("line.control").count()).toBe(1);
      expect(await page.locator("svg").filter({ hasText: "NaN" }).count()).toBe(0);
      expect(readFileSync(report, "utf8")).not.toContain("NaN");
      const page_ = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      expect(page_).toBe(colorScheme === "light" ? "rgb(246, 247, 249)" : "rgb(18, 22, 27)");
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  test("fits a narrow screen without being scrolled sideways", async () => {
    const { page } = await browser.open(pathToFileURL(report).href, { viewport: { width: 390, height: 800 } });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    await page.close();
  });
});
