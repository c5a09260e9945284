import { describe, expect, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { namedFiles } from "../../src/config/named-files.ts";
import { takenOver } from "../../src/config/taken-over.ts";

const configOf = (changes: Record<string, unknown> = {}) =>
  configFrom(
    {
      upstreams: [{ id: "up", baseUrl: "http://127.0.0.1:9/v1" }],
      subjects: [{ id: "chat", models: ["a"] }],
      ...changes,
    },
    "the test",
  );

describe("of a changed configuration", () => {
  const first = configOf({ evidence: { path: "one.db" } });

  test("all is taken over but what is opened once, which is named", () => {
    const next = configOf({
      listen: { data: { port: 1234 } },
      subjects: [{ id: "other", models: ["b"] }],
      evidence: { path: "other.db", content: "full", whenUnwritable: "unready" },
      limits: { headerBytes: 4096, bodyBytes: 4096 },
      telemetry: { otlp: { endpoint: "http://127.0.0.1:4318" } },
      control: { hostNames: ["candor.internal"], pepper: { env: "PEPPER" } },
    });
    const { config, needRestart } = takenOver(first, next);
    expect(needRestart.toSorted()).toEqual([
      "control.pepper",
      "evidence.path",
      "limits.headerBytes",
      "listen.data.port",
      "telemetry.otlp",
    ]);
    expect(config).toEqual({
      ...next,
      listen: first.listen,
      telemetry: first.telemetry,
      evidence: { ...next.evidence, path: "one.db", postgres: undefined },
      limits: { ...next.limits, headerBytes: first.limits.headerBytes },
      control: { ...next.control, pepper: undefined },
    });
  });

  test("nothing needs a restart where the rest is what it was", () => {
    const next = configOf({ evidence: { path: "one.db" }, subjects: [{ id: "chat", models: ["b"] }] });
    expect(takenOver(first, next)).toEqual({
      needRestart: [],
      config: {
        ...next,
        evidence: { ...next.evidence, postgres: undefined },
        control: { ...next.control, pepper: undefined },
      },
    });
  });
});

test("the files that a configuration names are those of policies, sets, screens and secrets", () => {
  const secret = (file: string) => ({ file });
  const config = configOf({
    upstreams: [{ id: "up", baseUrl: "http://127.0.0.1:9/v1", key: secret("up.key") }],
    subjects: [
      { id: "a", models: ["a"], probes: { set: "set.yaml", key: secret("probe.key") } },
      { id: "b", models: ["b"] },
    ],
    policies: ["policies"],
    classify: {
      screen: { model: "screen", probeModel: "probe-screen" },
      judge: { baseUrl: "http://127.0.0.1:9/v1", model: "j", key: secret("judge.key") },
      anchors: { set: "anchors.yaml" },
    },
    control: { token: secret("token"), pepper: { env: "PEPPER" } },
    alerting: { webhooks: [{ id: "hook", url: "http://127.0.0.1:9", secret: secret("hook.key") }] },
  });
  expect(namedFiles(config).toSorted()).toEqual(
    [
      "anchors.yaml",
      "hook.key",
      "judge.key",
      "policies",
      "probe-screen",
      "probe.key",
      "screen",
      "set.yaml",
      "token",
      "up.key",
    ].toSorted(),
  );
  expect(namedFiles(configOf())).toEqual([]);
});
