/** What the runbooks tell people to type, typed against a running process. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Serving, serveCandor } from "../e2e/running-candor.ts";

const token = "token-of-the-runbooks-0123456789";
const shell = "bash";
const folder = mkdtempSync(join(tmpdir(), "candor-runbooks-"));
let candor: Serving;

beforeAll(async () => {
  const file = join(folder, "candor.yaml");
  const config = {
    listen: { data: { port: 0 }, control: { port: 0 } },
    upstreams: [{ id: "none", baseUrl: "http://127.0.0.1:9/v1" }],
    subjects: [{ id: "support", models: ["model-x"] }],
    policies: ["policies/secrets.yaml"],
    evidence: { path: join(folder, "evidence.db") },
    control: { token: { env: "CANDOR_TOKEN" } },
    alerting: { alertmanagers: [{ id: "am-1", url: "http://127.0.0.1:9" }] },
    drain: { minSeconds: 0, timeoutSeconds: 0 },
  };
  writeFileSync(file, JSON.stringify(config));
  candor = await serveCandor(["--config", file], { CANDOR_TOKEN: token });
});
afterAll(async () => {
  await candor.end();
  rmSync(folder, { recursive: true, force: true });
});

/** Every command, in the form of one line. */
const commands = [...readFileSync("docs/runbooks.md", "utf8").matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block = ""]) =>
    block
      .replaceAll(/\\?\n {2}/g, " ")
      .trim()
      .split("\n"),
  )
  .map((command) => ({ command }));

const type = async (command: string) => {
  const child = spawn(shell, ["-c", command], { env: { ...process.env, CONTROL: candor.controlUrl, TOKEN: token } });
  const said = { out: "", error: "" };
  child.stdout.on("data", (bytes: Buffer) => {
    said.out += bytes.toString();
  });
  child.stderr.on("data", (bytes: Buffer) => {
    said.error += bytes.toString();
  });
  await once(child, "close");
  return said;
};

const missing = [shell, "curl", "jq"].filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);

test.for(commands)("$command", async ({ command }, context) => {
  if (missing.length > 0) context.skip(`not installed here: ${missing.join(", ")}`);
  // Zeros are left out where people look for what happened; here nothing did.
  const { out, error } = await type(command.replace(" | grep -v ' 0$'", ""));
  if (command.includes("/acknowledge")) {
    expect(error, "there is no alarm here").toContain("409");
    return;
  }
  expect(error).toBe("");
  if (!command.includes("[]")) expect(out).not.toBe("");
  expect(out).not.toBe("null\n");
});
