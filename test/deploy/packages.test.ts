/** What is installed: by the lock file alone, without anything that runs on the way. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";

const { packages } = z
  .object({
    packages: z.record(
      z.string(),
      z.object({
        integrity: z.string().optional(),
        hasInstallScript: z.boolean().default(false),
        dev: z.boolean().default(false),
        devOptional: z.boolean().default(false),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync("package-lock.json", "utf8")));
const installed = Object.entries(packages).filter(([path]) => path !== "");
const { allowScripts } = z
  .object({ allowScripts: z.record(z.string(), z.literal(true)) })
  .parse(JSON.parse(readFileSync("package.json", "utf8")));

test("every package is held to what it was when it was chosen", () => {
  expect(installed.length).toBeGreaterThan(100);
  expect(installed.filter(([, { integrity }]) => !integrity?.startsWith("sha512-")).map(([path]) => path)).toEqual([]);
});

test("packages that run something when they are installed are those that are allowed to, and only develop with", () => {
  const running = installed.filter(([, { hasInstallScript }]) => hasInstallScript);
  expect(running.map(([path]) => path.replace(/^.*node_modules\//, "")).sort()).toEqual(Object.keys(allowScripts));
  expect(running.filter(([, { dev, devOptional }]) => !dev && !devOptional)).toEqual([]);
});
