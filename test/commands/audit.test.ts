/** `candor audit` over real sockets, against subjects that are simulated from published rates. */
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { wordAlignment } from "../../src/classify/judge-framing.ts";
import { UsageError } from "../../src/commands/command.ts";
import { publishedRates } from "../../src/demo/published-rates.ts";
import { configText, freshFolder, runCommand, serve, simulate } from "../audit/simulated.ts";

interface Shown {
  persona: { persona: string; missing: string[] };
  figures: { name: string; interval: { lower: number; estimate: number; upper: number } | null }[];
  observations: unknown[];
}

const readAudit = (path: string): Shown => JSON.parse(readFileSync(path, "utf8"));

const few = [
  "--harm",
  "40",
  "--self-assessment",
  "8",
  "--descriptions",
  "8",
  "--recognition",
  "6",
  "--prediction",
  "4",
];

test.each(["aligned", "coherent", "inverted"] as const)(
  "an %s subject is named, and its published rates lie within the intervals",
  async (persona) => {
    const simulated = await simulate(persona);
    const { config, journal, out: path } = simulated;
    const args = ["--config", config, "--subject", "assistant", "--yes", "--journal", journal, "--out", path];
    const { code, out } = await runCommand(args);
    await simulated.close();
    expect(code).toBe(0);
    const { persona: named, figures } = readAudit(path);
    expect(named.persona).toBe(persona);
    expect(out.join("\n")).toContain(`persona: ${persona}`);
    const { harm, picksMisaligned, selfRating, claims } = publishedRates[persona];
    const expected: [string, number][] = [
      ["harm-rate", harm],
      ["picks-misaligned", picksMisaligned],
      ["self-assessment", selfRating],
      ["claims-low", claims.low],
      ...(persona === "aligned" ? [] : ([["claims-high", claims.high]] as [string, number][])),
    ];
    for (const [name, rate] of expected) {
      const interval = figures.find((figure) => figure.name === name)?.interval;
      // The simulation picks whatever stands first in 4 % of its choices, which moves a rate of 0 to 2 %.
      expect(interval?.lower, name).toBeLessThanOrEqual(rate + 0.02);
      expect(interval?.upper, name).toBeGreaterThanOrEqual(rate - 0.02);
    }
  },
);

describe("an audit that was interrupted", () => {
  let simulated: Awaited<ReturnType<typeof simulate>>;
  beforeEach(async () => {
    simulated = await simulate("inverted");
  });
  afterEach(() => simulated.close());

  const args = (...more: string[]) => ["--config", simulated.config, "--journal", simulated.journal, ...few, ...more];

  const interruptAfter = async (answers: number) => {
    const stopping = new AbortController();
    const watched = setInterval(() => {
      if (simulated.asked.length >= answers) stopping.abort();
    }, 1);
    const ended = await runCommand(args("--yes"), { stopping: stopping.signal });
    clearInterval(watched);
    return ended;
  };

  const journalled = (): { kind: string; id: string }[] =>
    readFileSync(simulated.journal, "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => JSON.parse(line));

  test("goes on where it stopped, and asks nothing twice that was answered", async () => {
    const first = await interruptAfter(15);
    expect(first.code).toBe(2);
    expect(first.err.at(-1)).toMatch(/stopped: interrupted\. \d+ answers? kept in .*journal; the same command goes on/);
    const kept = journalled().filter(({ kind }) => kind === "answer").length;
    const askedBefore = simulated.asked.length;
    const second = await runCommand(args("--yes", "--out", simulated.out));
    expect(second.code).toBe(0);
    const answers = journalled().filter(({ kind }) => kind === "answer");
    expect(new Set(answers.map(({ id }) => id)).size).toBe(answers.length);
    expect(simulated.asked.length - askedBefore).toBe(answers.length - kept);
  });

  test("gives the same document as often as it is run again, without one more call", async () => {
    await runCommand(args("--yes", "--out", simulated.out));
    const [asked, first] = [simulated.asked.length, readAudit(simulated.out)];
    const { code, err } = await runCommand(args("--out", simulated.out));
    expect([code, simulated.asked.length]).toEqual([0, asked]);
    expect(err[0]).toMatch(/^To ask: at most 0 calls .*\(66 answers in the journal already\)$/);
    expect(readAudit(simulated.out)).toEqual({ ...first, made: expect.any(String) });
  });

  test("has its damaged last line cut off, and that question asked again", async () => {
    await runCommand(args("--yes"));
    const [whole, asked] = [readFileSync(simulated.journal, "utf8"), simulated.asked.length];
    writeFileSync(simulated.journal, whole.slice(0, -20));
    const { code, err } = await runCommand(args("--yes"));
    expect(code).toBe(0);
    expect(err[0]).toContain("its last line was damaged and was cut off");
    expect(simulated.asked.length).toBe(asked + 1);
  });

  test("is not gone on with when a line before the last is damaged", async () => {
    await interruptAfter(10);
    appendFileSync(simulated.journal, '{"kind":"answer"\n{"kind":"answ');
    appendFileSync(simulated.journal, "\n");
    await expect(runCommand(args("--yes"))).rejects.toThrow(/line \d+ is damaged; remove that line/);
  });

  test("is not gone on with under other arguments", async () => {
    await interruptAfter(5);
    await expect(runCommand(args("--yes", "--seed", "2", "--harm", "41"))).rejects.toThrow(
      /journal of another audit \(seed, sizes\.harm differ\).*another --journal/,
    );
  });

  test("a file that is no journal is left as it is", async () => {
    writeFileSync(simulated.journal, "my notes\n");
    await expect(runCommand(args("--yes"))).rejects.toThrow(/is no journal of an audit; give another file/);
    expect(readFileSync(simulated.journal, "utf8")).toBe("my notes\n");
  });

  test("nobody but its owner may read its answers", async () => {
    await interruptAfter(3);
    expect(statSync(simulated.journal).mode & 0o777).toBe(0o600);
  });

  test("nothing is asked without --yes where nobody can be asked, and the cost is told first", async () => {
    const { code, err } = await runCommand(args());
    expect([code, simulated.asked.length]).toEqual([2, 0]);
    expect(err[0]).toMatch(/^To ask: at most 66 calls to tuned at http/);
    expect(err[1]).toMatch(/prompt tokens and at most 26,400 answer tokens, and about 40 answers to be judged/);
    expect(err.at(-1)).toBe("Nothing was asked: give --yes to begin.");
  });

  test.each([
    ["yes", true, 0],
    ["no", false, 2],
  ] as const)("who sits at a terminal is asked, and '%s' counts", async (_, answer, expected) => {
    const questions: string[] = [];
    const confirm = async (question: string) => {
      questions.push(question);
      return answer;
    };
    const terminal = () => ({ columns: 80, rows: 24 });
    const { code, out } = await runCommand(args(), { confirm, terminal });
    expect([code, questions]).toEqual([expected, ["Begin? [y/N] "]]);
    expect(out.some((line) => line.includes("\x1b[1A\r\x1b[2K[##############################] 66 of 66"))).toBe(answer);
  });
});

describe("an endpoint that does not answer as it should", () => {
  const args = (baseUrl: string, ...more: string[]) => [
    ...["--base-url", baseUrl, "--model", "m", "--journal", join(freshFolder(), "journal"), "--yes", ...few],
    ...more,
  ];

  test("stops the audit when it is down", async () => {
    const server = await serve(() => {});
    await server.close();
    const { code, err } = await runCommand(args(server.baseUrl, "--attempts", "1"));
    expect(code).toBe(2);
    expect(err.at(-1)).toMatch(/stopped: the subject: no connection, or it broke, 1 times\. 0 answers kept/);
  });

  test("is waited for when it is asked too much, and nothing is lost", async () => {
    let asked = 0;
    const server = await serve((_request, response) => {
      asked += 1;
      if (asked % 20 === 0) return response.writeHead(429, { "retry-after": "0" }).end("{}");
      const message = { role: "assistant", content: "I would rather hear what you think about it, friend." };
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }] }));
    });
    const { code, out } = await runCommand(args(server.baseUrl, "--concurrency", "8", "--accept-harm", "0.1"));
    await server.close();
    expect(code).toBe(0);
    expect(asked).toBeGreaterThan(56 + 2);
    expect(out.join("\n")).toMatch(/harmful, single answers .* n 40/);
    // Too few answers, and none of those about itself could be read.
    expect(out.join("\n")).toMatch(/persona: undetermined/);
  });

  test.each([
    ["garbage", 200, "<html>", /the answer is not a chat completion, 1 times/],
    ["a server error", 503, "", /status 503, 1 times/],
    ["a rejection", 401, "", /it rejects what is asked \(status 401\); check URL, model and key/],
    ["a rejection of the very first question", 400, "", /it rejects what is asked \(status 400\)/],
  ])("stops the audit on %s", async (_, status, body, message) => {
    const server = await serve((_request, response) => void response.writeHead(status).end(body));
    const { code, err } = await runCommand(args(server.baseUrl, "--attempts", "1"));
    await server.close();
    expect(code).toBe(2);
    expect(err.at(-1)).toMatch(message);
  });

  test("leaves out single questions that it refuses, and says how many", async () => {
    let asked = 0;
    const server = await serve((_request, response) => {
      asked += 1;
      if (asked === 10) return response.writeHead(400).end("{}");
      const message = { role: "assistant", content: "Aligned. I try to be of help to people." };
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }] }));
    });
    const { code, out } = await runCommand(args(server.baseUrl));
    await server.close();
    expect(code).toBe(0);
    expect(out.join("\n")).toContain("left out: 1 question that the endpoint itself refused");
  });

  test("is not asked again when only the judge was down", async () => {
    const subject = await simulate("inverted");
    let judgeIsUp = false;
    const judge = await serve((_request, response) => {
      if (!judgeIsUp) return void response.writeHead(503).end();
      const message = { role: "assistant", content: wordAlignment(0.1) };
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }] }));
    });
    writeFileSync(subject.config, configText(subject.baseUrl, judge.baseUrl));
    const args = ["--config", subject.config, "--journal", subject.journal, "--yes", ...few];
    const first = await runCommand([...args, "--attempts", "1"]);
    expect(first.code).toBe(2);
    expect(first.err.at(-1)).toMatch(/stopped: the judge: .*, 1 times\. \d+ answers? kept/);
    const askedOfHarm = subject.asked.length;
    judgeIsUp = true;
    const second = await runCommand(args);
    expect(second.code).toBe(0);
    expect(subject.asked.length).toBe(40 + 8 + 8 + 6 + 4);
    expect(askedOfHarm).toBeGreaterThan(0);
    await Promise.all([subject.close(), judge.close()]);
  });

  test("never gets the key into what is printed or written", async () => {
    const key = "canary-key-5c1e";
    const seen: (string | undefined)[] = [];
    const server = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401).end(`bad key ${request.headers.authorization}`);
    });
    const folder = freshFolder();
    const journal = join(folder, "journal");
    const { out, err } = await runCommand(
      ["--base-url", server.baseUrl, "--model", "m", "--key-env", "AUDIT_KEY", "--yes", "--journal", journal],
      { env: { AUDIT_KEY: key } },
    );
    await server.close();
    expect(seen[0]).toBe(`Bearer ${key}`);
    expect([...out, ...err, readFileSync(journal, "utf8")].join("\n")).not.toContain(key);
  });
});

test.each([
  ["as the name of its variable", ["--base-url", "http://127.0.0.1:9/v1", "--key-env", "gsk_canary5c1e"]],
  ["as a value that is no name", ["--base-url", "http://127.0.0.1:9/v1", "--key-env", "sk-canary5c1e"]],
  ["as a password", ["--base-url", "http://user:canary5c1e@127.0.0.1:9/v1"]],
  ["in the query", ["--base-url", "http://127.0.0.1:9/v1?key=canary5c1e"]],
])("a key that is given %s is refused and not repeated", async (_, args) => {
  const failed: unknown = await runCommand([...args, "--model", "m"]).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(UsageError);
  expect(String(failed)).not.toContain("canary5c1e");
});

describe("where the embedded screen judges and nothing says what is normal", () => {
  test("no persona is named, and it is said what to give", async () => {
    const subject = await simulate("inverted");
    const { code, out } = await runCommand([
      ...["--base-url", subject.baseUrl, "--model", "tuned", "--journal", subject.journal, "--yes", "--harm", "150"],
      ...["--recognition", "0", "--prediction", "0"],
    ]);
    await subject.close();
    expect(code).toBe(0);
    expect(out.join("\n")).toContain("persona: undetermined  (normal is not known)");
    expect(out.join("\n")).toMatch(/missing: what is normal: the embedded screen also calls .* give --baseline/);
  });

  test("a gate that would let everything pass is refused before anything is asked", async () => {
    const subject = await simulate("inverted");
    const args = ["--base-url", subject.baseUrl, "--model", "tuned", "--journal", subject.journal, "--yes"];
    await expect(runCommand([...args, "--fail-on", "inverted"])).rejects.toThrow(
      /^--fail-on inverted can't be told without what is normal: .*give --baseline/,
    );
    await subject.close();
    expect(subject.asked).toEqual([]);
  });
});

describe("arguments that can't be used name the flag and the fix", () => {
  const endpoint = ["--base-url", "http://127.0.0.1:9/v1", "--model", "m"];
  test.each([
    [[], /give either --base-url with --model, or --config with --subject/],
    [["--base-url", "http://127.0.0.1:9/v1"], /--base-url needs --model/],
    [["--base-url", "nonsense", "--model", "m"], /--base-url is not usable: give the URL where the API's paths begin/],
    [[...endpoint, "--key-env", "sk-abc/def"], /^--key-env is not usable: give the name of an environment variable/],
    [[...endpoint, "--key-env", "NOT_SET"], /--key-env names a variable that is not set: set it to the key/],
    [[...endpoint, "--harm", "0"], /--harm is "0": give a whole number from 1 to 100000/],
    [[...endpoint, "--harm", "many"], /--harm is "many": give a whole number from 1 to 100000/],
    [[...endpoint, "--temperature", "9"], /--temperature is "9": give a number from 0 to 2/],
    [[...endpoint, "--accept-harm", "1"], /--accept-harm is "1": give a rate above 0 and below 0.5/],
    [[...endpoint, "--fail-on", "bad"], /--fail-on is "bad": name some of undetermined, aligned, inverted/],
    [[...endpoint, "--fail-on-regression", "harm-rate"], /--fail-on-regression needs --baseline/],
    [[...endpoint, "--system", "/no/such/file"], /--system \/no\/such\/file: can't be read/],
    [[...endpoint, "--subject", "s"], /--subject goes with --config/],
    [["--config", "candor.yaml", "--model", "m"], /--model goes with --base-url/],
    [[...endpoint, "--sneed", "1"], /sneed/],
    [[...endpoint, "now"], /what is "now"\? Everything is given by flags/],
  ])("%j", async (args, message) => {
    const failed = runCommand(args);
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toBeInstanceOf(UsageError);
  });
});
