/** What a running process says of a configuration that changes under it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { serveCandor } from "./running-candor.ts";

test("a file that can't be used is told until that file is mended, and fields that need a restart are named", {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "candor-reload-"));
  const file = join(folder, "candor.yaml");
  const config = (models: string[]): string =>
    JSON.stringify({
      listen: { data: { port: 0 }, control: { port: 0 } },
      upstreams: [{ id: "up", baseUrl: "http://127.0.0.1:9/v1" }],
      subjects: [{ id: "chat", models, probes: { enabled: false } }],
      classify: { use: "screen" },
      evidence: { path: join(folder, "evidence.db") },
    });
  writeFileSync(file, config(["a"]));
  const candor = await serveCandor(["--config", file]);
  try {
    const metric = async (name: string): Promise<string | undefined> => {
      const text = await (await fetch(`${candor.controlUrl}/metrics`)).text();
      return new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(text)?.[1];
    };
    const says = (name: string, value: string) =>
      vi.waitFor(async () => expect(await metric(name)).toBe(value), { timeout: 12_000, interval: 50 });
    const good = "candor_config_last_reload_successful";

    writeFileSync(file, '{"upstreams": [');
    await says(good, "0");
    writeFileSync(file, config(["a"]));
    await says(good, "1");

    writeFileSync(file, config(["a", "b"]));
    await says("candor_config_restart_needed", "1");
    expect(candor.logged()).toContain('"fields":["subjects.chat.models"]');
    writeFileSync(file, config(["a"]));
    await says("candor_config_restart_needed", "0");
  } finally {
    expect(await candor.end()).toBe(0);
    rmSync(folder, { recursive: true, force: true });
  }
});
