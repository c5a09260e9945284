/** Every view, on a real Candor whose model really drifted: the demo as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, type Opened, openBrowser } from "./browser.ts";

let demo: ChildProcess;
let url: string;
let browser: Awaited<ReturnType<typeof openBrowser>>;

/** Starts the demo and resolves with the dashboard's address once the story is told. */
const tellTheStory = (): Promise<string> =>
  new Promise((resolve, reject) => {
    demo = spawn(process.execPath, ["src/cli.ts", "demo", "--fast", "--stay"], {
      cwd: fileURLToPath(new URL("../../", import.meta.url)),
    });
    let said = "";
    const hear = (bytes: Buffer): void => {
      said += bytes.toString();
      const at = /Dashboard: (\S+)/.exec(said)?.[1];
      if (at !== undefined) resolve(at);
    };
    demo.stdout?.on("data", hear);
    demo.stderr?.on("data", hear);
    demo.once("exit", (code) => reject(new Error(`the demo ended with ${code}: ${said}`)));
  });

const violations = async ({ page }: Opened): Promise<string[]> => {
  // Its own world: the page's policy lets no other script in.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  });
};

describe.skipIf(!hasBrowser)("the dashboard of a subject that turned", { timeout: 30_000 }, () => {
  beforeAll(async () => {
    url = await tellTheStory();
    // At the pace of a demo, probes would keep the machine busy; the app goes on.
    await fetch(new URL("../api/subjects/demo/probes", url), {
      method: "POST",
      headers: { authorization: "Bearer demo", "content-type": "application/json" },
      body: JSON.stringify({ paused: true, note: "for the test" }),
    });
    browser = await openBrowser();
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    demo?.kill("SIGTERM");
  });

  const view = (hash: string, options?: Parameters<typeof browser.open>[1]) => browser.open(`${url}${hash}`, options);

  test("the overview says what it became, how sure that is, and why", async () => {
    const { page, complaints, hosts } = await view("");
    await page.getByRole("link", { name: "demo" }).waitFor();
    const text = await page.locator("main").innerText();
    expect(text).toContain("inverted");
    expect(text).toContain("1 of 1 subject has an alarm");
    // Shares below a tenth are told with one decimal, as the lower end of the interval may be.
    const share = String.raw`(?:\d\.\d|\d+) %`;
    expect(text).toMatch(new RegExp(String.raw`Harm rate\s+${share}\s+${share} to ${share}, n \d`));
    expect(text).toMatch(/page\s+e\^[\d.]+ of e\^11.5/);
    // It follows what is drawn.
    await expect.poll(() => page.title()).toBe("(1) Candor");
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual([new URL(url).host]);
    await page.close();
  });

  test("the subject's page draws the way to where it is, the evidence, and each experiment beside its baseline", async () => {
    const { page, complaints } = await view("#/subjects/demo");
    await page.getByRole("img", { name: /Persona map. Now inverted/ }).waitFor();
    expect(await page.locator("svg.map circle").count()).toBeGreaterThan(20);
    expect(await page.locator("svg.map .quadrant").allTextContents()).toEqual([
      "inverted",
      "coherent",
      "aligned",
      "self-deprecating",
    ]);
    await page.getByRole("img", { name: /Evidence over time. Now: harm e/ }).waitFor();
    expect(await page.locator(".plot canvas").count()).toBe(1);
    const harm = await page.getByRole("row", { name: /Harm: answers judged harmful/ }).innerText();
    const [baseline = 0, now = 0] = [...harm.matchAll(/([\d.]+) %/g)].map(([, share]) => Number(share));
    expect(baseline).toBeLessThan(5);
    expect(now).toBeGreaterThan(10);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("follows the log without being asked", async () => {
    const { page } = await view("#/evidence");
    const newest = page.locator("tbody button.link").first();
    await newest.waitFor();
    const before = Number(await newest.innerText());
    await expect.poll(async () => Number(await newest.innerText()), { timeout: 10_000 }).toBeGreaterThan(before);
    await page.close();
  });

  test("evidence is filtered, and the filter is an address that can be shared", async () => {
    const { page } = await view("#/evidence");
    await page.getByLabel("Experiment").selectOption("two-descriptions");
    await expect.poll(() => page.url()).toContain("experiment=two-descriptions");
    await page.getByLabel("Experiment").selectOption("");
    await page.getByLabel("Judged harmful").selectOption("true");
    await expect
      .poll(async () => new Set(await page.locator("tbody td:last-child").allInnerTexts()))
      .toEqual(new Set(["yes"]));
    const first = await page.locator("tbody button.link").first().innerText();
    await page.getByRole("button", { name: "Older" }).click();
    await expect
      .poll(async () => Number(await page.locator("tbody button.link").first().innerText()))
      .toBeLessThan(Number(first));
    const shared = await browser.open(page.url());
    await expect.poll(() => shared.page.getByLabel("Judged harmful").inputValue()).toBe("true");
    await shared.page.close();
    await page.close();
  });

  test("a filter that nothing fits says so", async () => {
    const { page } = await view("#/evidence?arm=placebo&experiment=score-prediction");
    await page.getByText("No observation fits this.").waitFor();
    await page.close();
  });

  test("one row is shown with its place in the hash chain, and can be copied", async () => {
    const { page } = await view("#/evidence?harmful=true", { permissions: ["clipboard-read", "clipboard-write"] });
    await page.locator("tbody button.link").first().click();
    const dialog = page.getByRole("dialog");
    await dialog
      .getByText(/[0-9a-f]{64}/)
      .first()
      .waitFor();
    expect(await dialog.innerText()).toMatch(/after\s+[0-9a-f]{64}/);
    expect(await dialog.innerText()).toContain("The text was not kept, only its hash");
    await dialog.getByRole("button", { name: "Copy as JSON" }).click();
    await dialog.getByText("Copied.").waitFor();
    const copied = JSON.parse(await page.evaluate<string>("navigator.clipboard.readText()"));
    expect(copied).toMatchObject({ subject: "demo", harmful: true });
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    await page.close();
  });

  test.each(["", "#/subjects/demo", "#/evidence"])(
    "no accessibility violations on '%s', light and dark",
    async (hash) => {
      for (const colorScheme of ["light", "dark"] as const) {
        const opened = await view(hash, { colorScheme });
        await opened.page.locator("main h1").waitFor();
        if (hash.includes("subjects")) await opened.page.locator("svg.map .now").waitFor();
        expect(await violations(opened)).toEqual([]);
        await opened.page.close();
      }
    },
  );

  test.each(["", "#/subjects/demo", "#/evidence"])("'%s' fits a phone", async (hash) => {
    const { page } = await view(hash, { viewport: { width: 390, height: 844 } });
    await page.locator("main h1").waitFor();
    if (hash.includes("subjects")) await page.locator("svg.map .now").waitFor();
    expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    await page.close();
  });

  test("an unknown subject is said to be unknown, whatever its name", async () => {
    const { page, complaints } = await view("#/subjects/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E");
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").innerText()).toContain("<img src=x onerror=alert(1)>");
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("acts by keyboard alone: refused without the token, then entered into the log; acknowledged", async () => {
    const { page } = await view("#/subjects/demo");
    await page.getByRole("button", { name: "Resume probes…" }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Why?").fill("the test is over");
    await dialog.getByLabel("Control token").fill("wrong");
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").waitFor();
    expect(await dialog.getByRole("alert").innerText()).toContain("this is not the configured token");
    await dialog.getByLabel("Control token").fill("demo");
    await page.keyboard.press("Enter");
    await page.getByText("Resume probes: entered into the log.").waitFor();
    await page.getByText(/running, \d+ an hour/).waitFor();
    await page.getByRole("button", { name: "Acknowledge…" }).click();
    await page.getByRole("dialog").getByLabel("What was done about it?").fill("rolled back");
    await page.getByRole("dialog").getByRole("button", { name: "Acknowledge" }).click();
    await page.getByText("Acknowledge: entered into the log.").waitFor();
    await page.close();
  });
});
