/** Candor on a machine of its own: Docker Compose and systemd. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { loadConfig } from "../../src/config/load.ts";

describe("Docker Compose", () => {
  const file = "deploy/compose/compose.yaml";
  const service = z.looseObject({ volumes: z.array(z.string()), network_mode: z.string().optional() });
  const { services } = z.object({ services: z.record(z.string(), service) }).parse(parse(readFileSync(file, "utf8")));
  const candor = z.looseObject({ ports: z.array(z.string()) }).parse(services.candor);

  test("mounts only files and folders that are there", () => {
    const mounted = Object.values(services)
      .flatMap(({ volumes }) => volumes.map((volume) => volume.split(":")[0] ?? ""))
      .filter((path) => path.startsWith("."));
    expect(mounted.length).toBeGreaterThan(4);
    expect(mounted.filter((path) => !existsSync(resolve(dirname(file), path)))).toEqual([]);
  });

  test("runs Candor without privileges, publishes it on loopback only and lets it drain", async () => {
    const config = await loadConfig("deploy/compose/candor.yaml");
    expect(candor).toMatchObject({
      user: "65532:65532",
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      stop_grace_period: `${config.drain.minSeconds + config.drain.timeoutSeconds + 15}s`,
    });
    const published = candor.ports;
    expect(published.every((port) => port.startsWith("127.0.0.1:"))).toBe(true);
    for (const { port } of Object.values(config.listen)) expect(published).toContain(`127.0.0.1:${port}:${port}`);
  });

  test("has the others on Candor's network, where the shipped files expect them", () => {
    for (const [name, { network_mode }] of Object.entries(services)) {
      if (name !== "candor") expect(network_mode, name).toBe("service:candor");
    }
    const source = readFileSync("deploy/grafana/provisioning/datasources/prometheus.yaml", "utf8");
    const port = /localhost:(\d+)/.exec(source)?.[1];
    expect(services.prometheus?.command).toContain(`--web.listen-address=:${port}`);
  });
});

describe("systemd", () => {
  const file = "deploy/systemd/candor.service";
  const analyze = "systemd-analyze";

  test("finds little that the service is exposed to", (context) => {
    const { error, status, stdout, stderr } = spawnSync(
      analyze,
      ["security", "--offline=true", "--threshold=15", "--no-pager", file],
      { encoding: "utf8" },
    );
    if (error !== undefined) context.skip(`systemd-analyze can't be run: ${error.message}`);
    // Older ones know no --offline.
    if (/unrecognized option/.test(stderr)) context.skip(`systemd-analyze is too old: ${stderr}`);
    expect(status, stdout + stderr).toBe(0);
  });

  test("gives the time that a drain may take by default", () => {
    const stop = Number(/^TimeoutStopSec=(\d+)$/m.exec(readFileSync(file, "utf8"))?.[1]);
    expect(stop).toBeGreaterThanOrEqual(2 + 60 + 15);
  });
});
