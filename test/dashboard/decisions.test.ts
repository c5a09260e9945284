/** What the policies decide, on a real Candor under real traffic: shown as it happens, and never with what matched. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { createLog } from "../../src/kernel/log.ts";
import { type Candor, start } from "../../src/main.ts";
import { hasBrowser, openBrowser } from "./browser.ts";

const policies = `
policies:
  - id: no-bluebird
    description: the project is not announced <img src=x onerror=alert(1)>
    stage: request
    match: { terms: [bluebird] }
    action: block
  - id: hide-codes
    description: door codes are nobody's business
    stage: response
    match: { regex: 'code [0-9]{4}' }
    action: redact
  - id: no-weather
    description: not our subject
    stage: request
    match: { terms: [weather, bluebird] }
    action: refuse
    mode: shadow
`;

describe.skipIf(!hasBrowser)("the view of decisions", { timeout: 30_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "candor-decisions-"));
  let upstream: Server;
  let candor: Candor;
  let browser: Awaited<ReturnType<typeof openBrowser>>;

  const say = (content: string, model = "m") =>
    fetch(`${candor.dataUrl}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model, messages: [{ role: "user", content }] }),
    });

  beforeAll(async () => {
    upstream = createServer((request, response) => {
      request.resume();
      response.setHeader("content-type", "application/json");
      const message = { role: "assistant", content: "The door has code 4711." };
      response.end(JSON.stringify({ id: "c", choices: [{ index: 0, message, finish_reason: "stop" }] }));
    });
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    const file = join(folder, "policies.yaml");
    writeFileSync(file, policies);
    const config = configFrom(
      {
        listen: { data: { port: 0 }, control: { port: 0 } },
        upstreams: [{ id: "u", baseUrl: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1` }],
        subjects: [{ id: "support", models: ["m"], probes: { enabled: false } }],
        policies: [file],
        evidence: { path: join(folder, "evidence.db") },
      },
      "the test's configuration",
    );
    candor = await start(config, { env: {}, log: createLog("silent") });
    for (const words of ["hello", "is bluebird real?", "how is the weather?", "bye"]) await (await say(words)).text();
    await (await say("bluebird again", "unknown")).text();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await candor?.stop();
    upstream?.close();
    rmSync(folder, { recursive: true });
  });

  const view = (hash: string, options?: Parameters<typeof browser.open>[1]) =>
    browser.open(`${candor.controlUrl}/dashboard/${hash}`, options);
  /** The rows of the second table, as text. */
  const rowsIn = (page: Awaited<ReturnType<typeof view>>["page"]) =>
    page.locator("[aria-label^=Decisions] tbody tr").allInnerTexts();

  test("each policy stands with its effect, and a shadow policy with what enforcing it would do", async () => {
    const { page, complaints, hosts } = await view("");
    await page.getByRole("link", { name: "Decisions" }).click();
    const row = (name: string) => page.getByRole("row", { name: new RegExp(`^${name}`) });
    await row("no-bluebird").waitFor();
    expect(await row("no-bluebird").innerText()).toContain("2 of 5 (40 %)");
    expect(await row("hide-codes").innerText()).toContain("3 of 3 (100 %)");
    // Two of the three were blocked anyway.
    expect(await row("no-weather").innerText()).toContain("would refuse 1 of 5 (20 %)");
    expect(await row("no-weather").innerText()).toContain("found in 3, the others were stopped anyway");
    expect(await page.locator("main img").count()).toBe(0);
    expect(complaints).toEqual([]);
    expect([...hosts]).toHaveLength(1);
    await page.close();
  });

  test("exchanges are listed with what was done and by which policy, and are filtered by address", async () => {
    const { page } = await view("#/decisions");
    await expect.poll(() => rowsIn(page)).toHaveLength(6);
    await page.getByRole("link", { name: "no-weather" }).click();
    await expect.poll(() => rowsIn(page)).toHaveLength(3);
    await page.getByLabel("Done").selectOption("allow");
    await expect.poll(() => rowsIn(page)).toHaveLength(1);
    expect((await rowsIn(page))[0]).toMatch(/support\s+request\s+allow\s+no-weather \(in shadow\)\s+full/);
    expect(page.url()).toContain("policy=no-weather");
    await page.getByLabel("Policy").selectOption("hide-codes");
    await page.getByText("No decision fits this.").waitFor();
    await page.close();
  });

  test("one decision tells where something was found, its place in the chain, and not what it was", async () => {
    const { page } = await view("#/decisions?action=redact");
    await page.locator("tbody button.link").first().click();
    const dialog = page.getByRole("dialog");
    await dialog
      .getByText(/[0-9a-f]{64}/)
      .first()
      .waitFor();
    const text = await dialog.innerText();
    expect(text).toContain("regex in message assistant choices[0].message.content; redact, in force");
    expect(text).not.toContain("4711");
    await page.close();
  });

  test("a decision that is made while somebody looks appears by itself", async () => {
    const { page } = await view("#/decisions?action=block");
    await expect.poll(() => rowsIn(page)).toHaveLength(2);
    await (await say("bluebird!")).text();
    await expect.poll(() => rowsIn(page), { timeout: 10_000 }).toHaveLength(3);
    await page.close();
  });

  test.each(["light", "dark"] as const)("has no accessibility violations, %s and on a phone", async (colorScheme) => {
    for (const viewport of [
      { width: 1280, height: 900 },
      { width: 390, height: 844 },
    ]) {
      const { page } = await view("#/decisions", { colorScheme, viewport });
      await page.locator("tbody button.link").first().waitFor();
      await page.evaluate(axe.source);
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        };
        return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
      });
      expect(violations).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      await page.close();
    }
  });

  test("an address that can't be read is told as such, and the page lives on", async () => {
    const { page, complaints } = await view("#/subjects/%E0%A4%A");
    await page.getByText("There is no subject").waitFor();
    await page.getByRole("link", { name: "Decisions" }).click();
    await page.getByRole("heading", { name: "Decisions" }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });
});
