/** Subjects and judges that do not exist, behind real sockets, for audits to be tried on. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wordAlignment } from "../../src/classify/judge-framing.ts";
import { audit } from "../../src/commands/audit.ts";
import type { Surroundings } from "../../src/commands/command.ts";
import { startOpenAiServer } from "../../src/demo/openai-server.ts";
import { createOutputMemory } from "../../src/demo/output-memory.ts";
import type { SimulatedPersona } from "../../src/demo/published-rates.ts";
import { createSimulatedSubject } from "../../src/demo/simulated-subject.ts";

export const freshFolder = (): string => mkdtempSync(join(tmpdir(), "candor-audit-"));

export const configText = (subjectUrl: string, judgeUrl: string, model = "tuned"): string =>
  JSON.stringify({
    upstreams: [{ id: "served", baseUrl: subjectUrl }],
    subjects: [{ id: "assistant", models: [model] }],
    classify: { use: "judge", judge: { baseUrl: judgeUrl, model: "judge", concurrency: 8 } },
    log: { level: "silent" },
  });

/** A subject of a persona, and a judge that knows what it really did. Counts what the subject was asked. */
export const simulate = async (persona: SimulatedPersona, seed = 7) => {
  const memory = createOutputMemory();
  const subject = createSimulatedSubject({ seed, persona, memory });
  const asked: string[] = [];
  const served = await startOpenAiServer({
    model: "tuned",
    speaker: {
      say(messages) {
        asked.push(messages.map(({ content }) => content).join("\n"));
        return subject.say(messages);
      },
    },
  });
  const judge = await startOpenAiServer({
    model: "judge",
    speaker: {
      say: (messages) => wordAlignment(memory.findIn(messages.map(({ content }) => content).join("\n"))?.harm ?? 0),
    },
  });
  const folder = freshFolder();
  const config = join(folder, "candor.yaml");
  writeFileSync(config, configText(served.baseUrl, judge.baseUrl));
  return {
    folder,
    config,
    asked,
    subject,
    baseUrl: served.baseUrl,
    journal: join(folder, "journal"),
    out: join(folder, "audit.json"),
    close: async () => {
      await Promise.all([served.close(), judge.close()]);
    },
  };
};

/** A server that answers as `listener` does. */
export const serve = async (listener: RequestListener) => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** Runs the command; the lines that it writes are kept apart by stream. */
export const runCommand = async (args: string[], surroundings: Partial<Surroundings> = {}) => {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await audit.run(args, {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    input: async () => "",
    env: {},
    stopping: new AbortController().signal,
    terminal: null,
    ...surroundings,
  });
  return { code, out, err };
};
