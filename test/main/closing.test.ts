/** What is left of a Candor that could not start, or could not stop as it should: nothing that is in the next one's way. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { startOpenAiServer } from "../../src/demo/openai-server.ts";
import { createLog } from "../../src/kernel/log.ts";
import { type Candor, start } from "../../src/main.ts";

let folder: string;
const endings: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "candor-main-"));
});
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
});

interface Changes {
  policy?: string;
  upstream?: string;
  dataPort?: number;
  controlPort?: number;
  probeSet?: string;
}

const startCandor = async (changes: Changes = {}): Promise<Candor> => {
  const config = configFrom(
    {
      upstreams: [{ id: "main", baseUrl: changes.upstream ?? "http://127.0.0.1:9/v1" }],
      subjects: [
        {
          id: "subject",
          models: ["model-x"],
          live: { sampleRate: 1 },
          probes: { enabled: false, ...(changes.probeSet === undefined ? {} : { set: changes.probeSet }) },
        },
      ],
      listen: {
        data: { host: "127.0.0.1", port: changes.dataPort ?? 0 },
        control: { host: "127.0.0.1", port: changes.controlPort ?? 0 },
      },
      evidence: { path: join(folder, "evidence.db") },
      policies: changes.policy === undefined ? [] : [changes.policy],
      drain: { minSeconds: 0, timeoutSeconds: 1 },
    },
    "test",
  );
  const candor = await start(config, { env: {}, log: createLog("silent") });
  endings.push(() => candor.stop().catch(() => {}));
  return candor;
};

const occupiedPort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endings.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};

const freePort = async (): Promise<number> => {
  const port = await occupiedPort();
  await endings.pop()?.();
  return port;
};

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    endings.push(() => socket.destroy());
  });

const portOf = (url: string): number => Number(new URL(url).port);

describe("a start that fails half-way", () => {
  it.each(["dataPort", "controlPort"] as const)(
    "because %s is taken says which setting to change, and leaves both ports and the evidence file free",
    async (taken) => {
      const other = taken === "dataPort" ? "controlPort" : "dataPort";
      const ports = { [taken]: await occupiedPort(), [other]: await freePort() };
      const setting = taken === "dataPort" ? "listen.data" : "listen.control";
      await expect(startCandor(ports)).rejects.toThrow(
        `${setting}: can't listen on 127.0.0.1:${ports[taken]}: another program listens there`,
      );
      expect(await isOpen(ports[other] ?? 0)).toBe(false);
      const second = await startCandor({ [other]: ports[other] });
      expect((await fetch(`${second.controlUrl}/readyz`)).status).toBe(200);
    },
  );

  it("because a probe set is missing names it, and leaves the evidence file free", async () => {
    const missing = join(folder, "no-such-set.yaml");
    await expect(startCandor({ probeSet: missing })).rejects.toThrow(missing);
    await startCandor();
  });

  it("because a policy can't be read is guarded by nothing, and serves nothing", async () => {
    const missing = join(folder, "no-such-policy.yaml");
    const dataPort = await freePort();
    await expect(startCandor({ policy: missing, dataPort })).rejects.toThrow(missing);
    expect(await isOpen(dataPort)).toBe(false);
    await startCandor();
  });

  it("because a row of the evidence is broken leaves the file free for whoever mends it", async () => {
    const first = await startCandor();
    await first.stop();
    const changeRow = (body: string): string => {
      const file = new DatabaseSync(join(folder, "evidence.db"));
      const before = String(file.prepare("SELECT body FROM entries WHERE position = 1").get()?.body);
      file.prepare("UPDATE entries SET body = ? WHERE position = 1").run(body);
      file.close();
      return before;
    };
    const whole = changeRow("{");
    await expect(startCandor()).rejects.toThrow(/position 1/);
    changeRow(whole);
    await startCandor();
  });
});

describe("a stop that can't write the evidence", () => {
  it("says so, and still closes everything else", async () => {
    const upstream = await startOpenAiServer({ model: "model-x", speaker: { say: () => "Take it slowly." } });
    endings.push(upstream.close);
    const candor = await startCandor({ upstream: upstream.baseUrl });
    const ports = [portOf(candor.dataUrl), portOf(candor.controlUrl)];
    const locker = new DatabaseSync(join(folder, "evidence.db"));
    endings.push(() => locker.close());
    locker.exec("BEGIN IMMEDIATE");
    const answer = await fetch(`${candor.dataUrl}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "model-x", messages: [{ role: "user", content: "How do I start running?" }] }),
    });
    expect(answer.status).toBe(200);
    await answer.text();
    await expect(candor.stop()).rejects.toThrow(/locked/);
    expect(await Promise.all(ports.map(isOpen))).toEqual([false, false]);
    locker.exec("ROLLBACK");
    const next = await startCandor();
    expect((await fetch(`${next.controlUrl}/readyz`)).status).toBe(200);
  });
});
