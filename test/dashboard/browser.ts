/** A real browser with fresh pages; Debian's Chromium, which the tests' own set-up installs where it may. */
import { existsSync } from "node:fs";
import { chromium, type Page } from "playwright-core";

const executablePath = "/usr/bin/chromium";
export const hasBrowser = existsSync(executablePath);
if (!hasBrowser) console.warn(`skipped: no browser at ${executablePath}`);

export interface Opened {
  page: Page;
  /** What the page complained about: errors, refused loads, warnings of its security policy. */
  complaints: string[];
  /** Hosts that the page asked for anything. */
  hosts: Set<string>;
}

export const openBrowser = async () => {
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    close: () => browser.close(),
    async open(url: string, options: Parameters<typeof browser.newPage>[0] = {}): Promise<Opened> {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
      const complaints: string[] = [];
      const hosts = new Set<string>();
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
      });
      page.on("request", (request) => hosts.add(new URL(request.url()).host));
      await page.goto(url);
      return { page, complaints, hosts };
    },
  };
};
