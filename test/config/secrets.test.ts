import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { readSecrets } from "../../src/config/secrets.ts";

const withKey = (key: object) =>
  configFrom(
    {
      upstreams: [{ id: "main", baseUrl: "http://127.0.0.1/v1", key }],
      subjects: [{ id: "a", models: ["m"], probes: { key: { env: "PROBE" } } }],
      control: { token: { env: "TOKEN" } },
    },
    "flags",
  );

describe("secrets", () => {
  const file = join(mkdtempSync(join(tmpdir(), "candor-secret-")), "key");
  const env = { KEY: "sk-1", PROBE: "sk-2", TOKEN: "t" };

  it("come from the environment", () => {
    const secrets = readSecrets(withKey({ env: "KEY" }), env);
    expect(secrets.upstream.get("main")).toBe("sk-1");
    expect(secrets.probe.get("a")).toBe("sk-2");
    expect(secrets.controlToken).toBe("t");
    expect(secrets.judge).toBeNull();
  });

  it("come from files, without the line end", () => {
    writeFileSync(file, "sk-file\n");
    expect(readSecrets(withKey({ file }), env).upstream.get("main")).toBe("sk-file");
  });

  it("that are missing name the field and the variable", () => {
    expect(() => readSecrets(withKey({ env: "NOPE" }), env)).toThrow(
      "upstreams[0].key: environment variable NOPE is not set",
    );
  });

  it("whose file is missing or empty say so", () => {
    expect(() => readSecrets(withKey({ file: `${file}-none` }), env)).toThrow("can't be read");
    writeFileSync(file, "\n");
    expect(() => readSecrets(withKey({ file }), env)).toThrow("is empty");
  });

  it("that can't be a header are refused without being shown", () => {
    const attempt = () => readSecrets(withKey({ env: "KEY" }), { ...env, KEY: "sk bad\nkey" });
    expect(attempt).toThrow("blanks or characters outside ASCII");
    expect(attempt).not.toThrow("sk bad");
  });
});
