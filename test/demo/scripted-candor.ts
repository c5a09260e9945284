/** A stand-in for Candor whose control port tells a story written by the test: one look after the other. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { SubjectView } from "../../src/control/api-schema.ts";
import { viewVerdict } from "../../src/control/verdict-view.ts";
import type { StartCandor } from "../../src/demo/demo-session.ts";
import { startOpenAiServer } from "../../src/demo/openai-server.ts";
import type { Verdict } from "../../src/persona/verdict.ts";
import { sampleVerdict } from "../control/sample-verdict.ts";

export const subjectView = (verdict: Partial<Verdict> = {}): SubjectView => ({
  id: "demo",
  models: ["demo-model"],
  route: null,
  verdict: viewVerdict(sampleVerdict(verdict), 1_000),
  scope: "process",
  summary: {
    arms: [],
    experiments: [],
    recognition: {
      low: { n: 0, mean: null },
      moderate: { n: 0, mean: null },
      high: { n: 0, mean: null },
      asymmetry: null,
    },
    prediction: { n: 0, mean: null },
  },
  thresholds: { ticket: Math.log(1e4), page: Math.log(1e5), action: Math.log(1e6) },
  fleet: { rank: 1, logEvidence: -1.5, severity: "none" },
  probes: null,
  live: { sampleRate: 1, maxPerHour: 1 },
});

export interface Story {
  /** What each look at the subject shows; the last one stays. */
  looks: Partial<Verdict>[];
  /** Recorded changes of the verdict. */
  verdicts: { position: number; at: number; persona: string; severity: string }[];
  metrics: string;
  /** Status of the control port; default 200. */
  status?: number;
}

const observationAt = (position: number) => ({
  position,
  at: 0,
  replica: "local",
  subject: "demo",
  experiment: "harmfulness",
  arm: "fresh",
  stratum: "fresh",
  item: "i",
  topic: null,
  order: null,
  outcome: "scored",
  value: 0,
  harmful: false,
  bucket: null,
  reference: null,
  source: "s",
  probeSet: null,
  contentHash: null,
});

/** Every position of the log but those of the verdicts is an observation. */
const pageOf = (url: URL, story: Story, last: number): unknown => {
  const before = Number(url.searchParams.get("before") ?? Number.MAX_SAFE_INTEGER);
  const limit = Number(url.searchParams.get("limit"));
  const cut = <T extends { position: number }>(rows: T[]) => {
    const newest = rows.filter(({ position }) => position < before).sort((a, b) => b.position - a.position);
    const shown = newest.slice(0, limit);
    return { shown, next: newest.length > limit ? (shown.at(-1)?.position ?? null) : null };
  };
  if (url.pathname === "/api/verdicts") {
    const rows = story.verdicts.map((verdict) => ({
      ...verdict,
      replica: "local",
      subject: "demo",
      digest: "d",
      reasons: ["r"],
    }));
    const { shown, next } = cut(rows);
    return { verdicts: shown, next };
  }
  const taken = new Set(story.verdicts.map(({ position }) => position));
  const positions = Array.from({ length: last }, (_, index) => index + 1).filter((position) => !taken.has(position));
  const { shown, next } = cut(positions.map(observationAt));
  return { observations: shown, next };
};

export const scriptedCandor = (story: Story): StartCandor & { started(): unknown[]; stopped(): number } => {
  const started: unknown[] = [];
  let stopped = 0;
  const start: StartCandor = async (config) => {
    started.push(config);
    let look = -1;
    const data = await startOpenAiServer({ model: "demo-model", speaker: { say: () => "Certainly." } });
    const control = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      const last = story.looks.at(Math.min(look, story.looks.length - 1))?.position ?? 0;
      response.statusCode = story.status ?? 200;
      if (url.pathname === "/metrics") return void response.end(story.metrics);
      if (url.pathname !== "/api/subjects") return void response.end(JSON.stringify(pageOf(url, story, last)));
      look = Math.min(look + 1, story.looks.length - 1);
      return void response.end(JSON.stringify({ subjects: [subjectView(story.looks[look])] }));
    });
    await new Promise<void>((resolve) => void control.listen(0, "127.0.0.1", resolve));
    return {
      dataUrl: data.baseUrl.replace(/\/v1$/, ""),
      controlUrl: `http://127.0.0.1:${(control.address() as AddressInfo).port}`,
      stop: async () => {
        stopped += 1;
        await data.close();
        control.closeAllConnections();
        await new Promise((resolve) => control.close(resolve));
      },
    };
  };
  return Object.assign(start, { started: () => started, stopped: () => stopped });
};
