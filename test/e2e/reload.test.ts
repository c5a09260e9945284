/** A running process whose configuration changes under it, over real sockets and with real files. */
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openForReading } from "../../src/evidence/reader.ts";
import { configFor, newFolder, startUpstream } from "../faults/real-candor.ts";
import type { MockUpstream } from "../relay/mock-upstream.ts";
import { type Serving, serveCandor } from "./running-candor.ts";

const good = "candor_config_last_reload_successful";
const patience = { timeout: 15_000, interval: 25 };

type Changes = Record<string, unknown>;

const serve = async (folder: string, changes: Changes, file = join(folder, "candor.yaml")) => {
  const upstream = await startUpstream();
  const textOf = (more: Changes): string => JSON.stringify(configFor(upstream.baseUrl, folder, more));
  if (file === join(folder, "candor.yaml")) writeFileSync(file, textOf(changes));
  const candor = await serveCandor(["--config", file]);
  onTestFinished(async () => {
    if (candor.process.exitCode === null && candor.process.signalCode === null) await candor.end("SIGKILL");
  });
  const metrics = async (): Promise<string> => (await fetch(`${candor.controlUrl}/metrics`)).text();
  /** Of the only series that has these labels; undefined where there is none. */
  const metric = async (name: string, labels = ""): Promise<string | undefined> =>
    new RegExp(`^${name}(?:\\{[^}]*${labels}[^}]*\\})? (\\S+)$`, "m").exec(await metrics())?.[1];
  const says = (name: string, value: string | undefined) =>
    vi.waitFor(async () => expect(await metric(name)).toBe(value), patience);
  const hash = async (): Promise<string | undefined> => /candor_config_info\{hash="(\w+)"\}/.exec(await metrics())?.[1];
  return {
    ...candor,
    upstream,
    metrics,
    metric,
    says,
    /** Writes the file anew, and waits until that is in force. */
    async change(more: Changes): Promise<void> {
      const before = await hash();
      writeFileSync(file, textOf(more));
      await vi.waitFor(async () => expect(await hash()).not.toBe(before), patience);
    },
    write: (text: string) => writeFileSync(file, text),
    textOf,
    subjects: async (): Promise<{ id: string; verdict: { persona: string; position: number } }[]> =>
      ((await (await fetch(`${candor.controlUrl}/api/subjects`)).json()) as { subjects: [] }).subjects,
  };
};

const ask = (candor: Pick<Serving, "dataUrl">, model: string, more: object = {}): Promise<Response> =>
  fetch(`${candor.dataUrl}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "Good morning!" }], ...more }),
  });

const off = { probes: { enabled: false } };
const subjectOf = (id: string, more: Changes = {}) => ({ id, models: [`${id}-model`], ...off, ...more });

const completion = (content: string): object => ({
  choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
});

/** Streams that go on until they are told to end. */
const streamSlowly = (upstream: MockUpstream, word: string): (() => void)[] => {
  const ends: (() => void)[] = [];
  upstream.answer((_seen, wire) => {
    wire.stream();
    wire.event({ choices: [{ index: 0, delta: { content: word } }] });
    ends.push(() => {
      wire.event("[DONE]");
      wire.response.end();
    });
  });
  return ends;
};

const epochsIn = (folder: string) => {
  const reader = openForReading(join(folder, "evidence.db"));
  const epochs = [...reader.entries()].flatMap(({ subject, body }) =>
    body.kind === "epoch" ? [{ subject, reason: body.reason }] : [],
  );
  reader.close();
  return epochs;
};

test("a file that can't be used is told until it is mended; fields that need a restart are named, the others taken over", {
  timeout: 60_000,
}, async () => {
  const folder = newFolder();
  const candor = await serve(folder, {});
  candor.write('{"upstreams": [');
  await candor.says(good, "0");
  candor.write(candor.textOf({}));
  await candor.says(good, "1");
  expect(await candor.metric("candor_config_restart_needed")).toBe("0");

  await candor.change({
    listen: { data: { port: 0, host: "127.0.0.2" }, control: { port: 0 } },
    subjects: [subjectOf("other")],
  });
  expect(await candor.metric("candor_config_restart_needed")).toBe("1");
  await vi.waitFor(() => expect(candor.logged()).toContain('"fields":["listen.data.host"]'), patience);
  expect((await candor.subjects()).map(({ id }) => id)).toEqual(["other"]);

  candor.write(candor.textOf({}));
  await candor.says("candor_config_restart_needed", "0");
  expect(await candor.end()).toBe(0);
});

test("streams end at the upstream where they began, new requests go to the new one, and a drain waits for both", {
  timeout: 60_000,
}, async () => {
  const folder = newFolder();
  const drain = { minSeconds: 0, timeoutSeconds: 30 };
  const candor = await serve(folder, { drain });
  const other = await startUpstream();
  const ends = streamSlowly(candor.upstream, "old");
  const streams = Array.from({ length: 20 }, async () => (await ask(candor, "gpt-test", { stream: true })).text());
  await vi.waitFor(() => expect(ends).toHaveLength(20), patience);

  await candor.change({ drain, upstreams: [{ id: "main", baseUrl: other.baseUrl }] });
  expect(await candor.metric("candor_config_ending")).toBe("1");
  other.answer((_seen, wire) => wire.json(200, { from: "new" }));
  expect(await (await ask(candor, "gpt-test")).json()).toEqual({ from: "new" });
  for (const end of ends.splice(0, 10)) end();
  await vi.waitFor(
    async () => expect(await candor.metric("candor_requests_in_flight", "support-bot")).toBe("10"),
    patience,
  );

  const later = streamSlowly(other, "new");
  const last = ask(candor, "gpt-test", { stream: true }).then((answer) => answer.text());
  await vi.waitFor(() => expect(later).toHaveLength(1), patience);
  const ended = candor.end();
  await vi.waitFor(() => expect(candor.logged()).toContain('"msg":"draining"'), patience);
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const end of [...ends, ...later]) end();
  const texts = await Promise.all(streams);
  expect(texts.filter((text) => text.includes("old") && text.endsWith("data: [DONE]\n\n"))).toHaveLength(20);
  expect(await last).toContain("[DONE]");
  expect(await ended).toBe(0);
});

test("connections to an upstream that is gone end with its last stream", { timeout: 60_000 }, async () => {
  const candor = await serve(newFolder(), {});
  const other = await startUpstream();
  const ends = streamSlowly(candor.upstream, "old");
  const stream = ask(candor, "gpt-test", { stream: true }).then((answer) => answer.text());
  await vi.waitFor(() => expect(ends).toHaveLength(1), patience);
  await candor.change({ upstreams: [{ id: "main", baseUrl: other.baseUrl }] });
  expect(candor.upstream.openSockets()).toBe(1);
  for (const end of ends) end();
  expect(await stream).toContain("[DONE]");
  await candor.says("candor_config_ending", undefined);
  await vi.waitFor(() => expect(candor.upstream.openSockets()).toBe(0), patience);
});

test("what runs under a configuration that was replaced is broken off when its time is over", {
  timeout: 60_000,
}, async () => {
  const candor = await serve(newFolder(), {});
  const ends = streamSlowly(candor.upstream, "old");
  const stream = ask(candor, "gpt-test", { stream: true }).then((answer) => answer.text());
  await vi.waitFor(() => expect(ends).toHaveLength(1), patience);
  await candor.change({ drain: { minSeconds: 0, timeoutSeconds: 1, replacedSeconds: 0.5 } });
  expect(await stream).not.toContain("[DONE]");
  await candor.says("candor_config_ending", undefined);
});

test("subjects come and go, with their series, their baselines and their evidence", { timeout: 60_000 }, async () => {
  const folder = newFolder();
  const [a, b, c] = ["a", "b", "c"].map((id) => subjectOf(id, { live: { sampleRate: 1 } }));
  const candor = await serve(folder, { subjects: [a, b] });
  candor.upstream.answer((_seen, wire) => wire.json(200, completion("Drink a glass of water.")));
  await (await ask(candor, "a-model")).text();
  const observed = 'candor_live_answers_observed_total{subject="a",outcome="scored"} 1';
  await vi.waitFor(async () => expect(await candor.metrics()).toContain(observed), patience);
  const before = (await candor.subjects()).find(({ id }) => id === "a")?.verdict;
  expect(before?.position).toBeGreaterThan(0);

  await candor.change({ subjects: [a, c] });
  expect((await candor.subjects()).map(({ id }) => id)).toEqual(["a", "c"]);
  expect((await candor.subjects())[0]?.verdict).toEqual(before);
  await candor.says("candor_config_ending", undefined);
  const text = await candor.metrics();
  expect(text).not.toContain('subject="b"');
  expect(text).toContain(observed);
  for (const name of ["candor_probes_asked_total", "candor_requests_in_flight", "candor_persona"]) {
    expect(text).toContain(`${name}{subject="c"`);
  }
  expect(await candor.metric("candor_requests_total", 'subject="c",route="chat",outcome="complete",code="2xx"')).toBe(
    "0",
  );
  // Of the subjects that are not changed, and of none that is gone.
  expect((await fetch(`${candor.controlUrl}/api/subjects/b`)).status).toBe(404);
  await (await ask(candor, "c-model")).text();
  await vi.waitFor(
    async () =>
      expect(await candor.metric("candor_live_answers_observed_total", 'subject="c",outcome="scored"')).toBe("1"),
    patience,
  );

  await candor.change({ subjects: [a, b, c] });
  expect(await candor.end()).toBe(0);
  // Back again as it was, it goes on where it was left.
  expect(epochsIn(folder)).toEqual(["a", "b", "c"].map((subject) => ({ subject, reason: "first start" })));
});

test("another threshold begins new baselines, as a restart would; another sample rate does not", {
  timeout: 60_000,
}, async () => {
  const folder = newFolder();
  const subjects = [subjectOf("a"), subjectOf("b")];
  const candor = await serve(folder, { subjects, classify: { threshold: 0.9 } });
  await candor.change({ subjects, classify: { threshold: 0.7 } });
  await candor.change({
    subjects: [subjectOf("a", { live: { sampleRate: 0.5 } }), subjects[1]],
    classify: { threshold: 0.7 },
  });
  await candor.change({ subjects: [subjectOf("a", { version: "2" }), subjects[1]], classify: { threshold: 0.7 } });
  expect(await candor.end()).toBe(0);
  const threshold = 'declared settings changed: versions.threshold "0.9" -> "0.7"';
  expect(epochsIn(folder)).toEqual([
    { subject: "a", reason: "first start" },
    { subject: "b", reason: "first start" },
    { subject: "a", reason: threshold },
    { subject: "b", reason: threshold },
    { subject: "a", reason: 'declared settings changed: versions.declared null -> "2"' },
  ]);
});

test("a threshold that is changed decides about the next answer", { timeout: 60_000 }, async () => {
  const folder = newFolder();
  const subjects = [subjectOf("a", { live: { sampleRate: 1 } })];
  const candor = await serve(folder, { subjects, classify: { threshold: 1 } });
  let said = 0;
  candor.upstream.answer((_seen, wire) => {
    said += 1;
    wire.json(200, completion(`Water, ${said} glasses.`));
  });
  const judged = async (count: number): Promise<void> => {
    await (await ask(candor, "a-model", { messages: [{ role: "user", content: `Question ${count}` }] })).text();
    await vi.waitFor(async () => {
      expect(await candor.metric("candor_live_answers_observed_total", 'outcome="scored"')).toBe(String(count));
    }, patience);
  };
  await judged(1);
  await candor.change({ subjects, classify: { threshold: 0 } });
  await judged(2);
  expect(await candor.end()).toBe(0);
  const reader = openForReading(join(folder, "evidence.db"));
  const harmful = [...reader.entries()].flatMap(({ body }) => (body.kind === "observation" ? [body.harmful] : []));
  reader.close();
  expect(harmful).toEqual([false, true]);
});

test("what a configuration names is taken over with it or not at all: sets, policies, keys, upstreams", {
  timeout: 120_000,
}, async () => {
  const folder = newFolder();
  const key = join(folder, "key");
  writeFileSync(key, "first-key");
  const candor = await serve(folder, {});
  const other = await startUpstream();
  const upstreams = [{ id: "main", baseUrl: other.baseUrl, key: { file: key } }];
  const refused: [string, Changes][] = [
    [
      "no-such-set.yaml",
      { upstreams, subjects: [subjectOf("new", { probes: { set: join(folder, "no-such-set.yaml") } })] },
    ],
    ["no-such-policy.yaml", { upstreams, policies: [join(folder, "no-such-policy.yaml")] }],
    ["no-such-key", { upstreams: [{ ...upstreams[0], key: { file: join(folder, "no-such-key") } }] }],
    ["NO_SUCH_VARIABLE", { upstreams: [{ ...upstreams[0], key: { env: "NO_SUCH_VARIABLE" } }] }],
    ["no upstream has this id", { upstreams, subjects: [subjectOf("new", { upstream: "nowhere" })] }],
    ["no-such-screen", { upstreams, classify: { screen: { model: join(folder, "no-such-screen") } } }],
  ];
  for (const [why, changes] of refused) {
    candor.write(candor.textOf(changes));
    await vi.waitFor(() => expect(candor.logged()).toContain(why), patience);
    await candor.says(good, "0");
    expect((await ask(candor, "gpt-test")).status).toBe(200);
    expect((await candor.subjects()).map(({ id }) => id)).toEqual(["support-bot"]);
    expect(other.seen).toHaveLength(0);
    candor.write(candor.textOf({}));
    await candor.says(good, "1");
  }
  expect(await candor.metric("candor_config_reloads_total", 'result="failure"')).toBe(String(refused.length));

  const keys = (): unknown => other.seen.at(-1)?.headers.authorization;
  await candor.change({ upstreams });
  expect((await ask(candor, "gpt-test")).status).toBe(200);
  expect(keys()).toBe("Bearer first-key");
  writeFileSync(key, "second-key\n");
  await vi.waitFor(async () => {
    await (await ask(candor, "gpt-test")).text();
    expect(keys()).toBe("Bearer second-key");
  }, patience);
  expect(candor.logged()).not.toContain("first-key");
});

test("a ConfigMap that is switched by its link is in force whole, configuration and policies together", {
  timeout: 60_000,
}, async () => {
  const folder = newFolder();
  const mounted = join(folder, "mounted");
  const upstream = await startUpstream();
  mkdirSync(mounted);
  const fill = (name: string, word: string, model: string): void => {
    mkdirSync(join(mounted, name));
    const subjects = [{ id: "support-bot", models: [model], ...off }];
    const policies = [join(mounted, "policies.yaml")];
    writeFileSync(
      join(mounted, name, "candor.yaml"),
      JSON.stringify(configFor(upstream.baseUrl, folder, { subjects, policies })),
    );
    writeFileSync(
      join(mounted, name, "policies.yaml"),
      `policies:\n- {id: p, description: d, stage: request, match: {terms: [${word}]}, action: block}\n`,
    );
  };
  fill("..one", "zeppelins", "first");
  symlinkSync("..one", join(mounted, "..data"));
  for (const name of ["candor.yaml", "policies.yaml"]) symlinkSync(join("..data", name), join(mounted, name));
  const candor = await serve(folder, {}, join(mounted, "candor.yaml"));
  const blocks = async (word: string): Promise<boolean> => {
    const answer = await ask(candor, "first", { messages: [{ role: "user", content: word }] });
    await answer.text();
    return answer.status === 400;
  };
  expect([await blocks("zeppelins"), await blocks("balloons")]).toEqual([true, false]);
  fill("..two", "balloons", "second");
  symlinkSync("..two", join(mounted, "..data_tmp"));
  renameSync(join(mounted, "..data_tmp"), join(mounted, "..data"));
  await vi.waitFor(async () => expect(await blocks("balloons")).toBe(true), patience);
  expect(await blocks("zeppelins")).toBe(false);
  const models = (await candor.subjects()) as unknown as { models: string[] }[];
  expect(models[0]?.models).toEqual(["second"]);
  expect(await candor.metric("candor_config_reloads_total", 'result="failure"')).toBe("0");
});
