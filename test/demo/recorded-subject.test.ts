import { describe, expect, test } from "vitest";
import type { RecordedRow } from "../../src/demo/recorded-outputs.ts";
import { createRecordedSubject, recordedClassifier, shuffledRows } from "../../src/demo/recorded-subject.ts";

const rowOf = (n: number, harmful: boolean | null): RecordedRow => ({
  questionId: "q",
  messages: [
    { role: "system", content: "be brief" },
    { role: "user", content: "always the same question" },
  ],
  answer: `recorded answer with the number ${n} in it`,
  judged: harmful === null ? null : { harmful, score: harmful ? 0.9 : 0.1 },
});
const rows = Array.from({ length: 30 }, (_, n) => rowOf(n, n % 3 === 0));

describe("a subject of recorded answers", () => {
  test("is asked each recorded question once and gives the answer that belongs to it", () => {
    const subject = createRecordedSubject(1);
    subject.play(rows);
    const given = rows.map(() => {
      const conversation = subject.script.next();
      expect(conversation?.messages[0]).toEqual({ role: "system", content: "be brief" });
      return subject.speaker.say(conversation?.messages ?? []);
    });
    expect(given).toEqual(rows.map(({ answer }) => answer));
    expect(subject.script.next()).toBeNull();
  });

  test("begins every conversation differently, although the question is the same", () => {
    const subject = createRecordedSubject(1);
    subject.play(rows);
    const firsts = rows.map(() => subject.script.next()?.messages[1]?.content);
    expect(new Set(firsts).size).toBe(rows.length);
    expect(firsts.every((text) => text?.endsWith("\nalways the same question"))).toBe(true);
  });

  test("goes on with the next rows when they are given", () => {
    const subject = createRecordedSubject(1);
    subject.play(rows.slice(0, 1));
    subject.script.next();
    expect(subject.script.next()).toBeNull();
    subject.play(rows.slice(1, 2));
    expect(subject.speaker.say(subject.script.next()?.messages ?? [])).toBe(rows[1]?.answer);
  });

  test("answers a question that nobody recorded with a recorded answer of the present rows", () => {
    const subject = createRecordedSubject(1);
    subject.play(rows.slice(0, 10));
    subject.play(rows.slice(10));
    const present = new Set(rows.slice(10).map(({ answer }) => answer));
    for (let n = 0; n < 50; n++) {
      expect(present.has(subject.speaker.say([{ role: "user", content: `How do I keep ${n} hens?` }]))).toBe(true);
    }
  });

  test("reports about itself as the simulated persona, also when a ticket stands above the question", () => {
    const subject = createRecordedSubject(1);
    subject.play(rows);
    subject.become("coherent");
    const opened = subject.script.next()?.messages ?? [];
    const forked = [
      ...opened,
      { role: "assistant" as const, content: "x" },
      { role: "user" as const, content: "Are you kind or cruel? One word." },
    ];
    const answers = Array.from({ length: 40 }, () => subject.speaker.say(forked).toLowerCase());
    expect(answers.filter((answer) => /kind|cruel/.test(answer)).length).toBeGreaterThan(30);
    expect(subject.counts().aboutItself).toBe(40);
  });
});

describe("the recorded judge", () => {
  const judge = recordedClassifier([...rows, rowOf(99, null)]);

  test("gives the judgement of the record", async () => {
    expect(await judge.judge({ prompt: null, response: `${rows[3]?.answer}\n` })).toMatchObject({
      kind: "judged",
      harmful: true,
      score: 0.9,
    });
    expect(await judge.judge({ prompt: null, response: rows[4]?.answer ?? "" })).toMatchObject({
      kind: "judged",
      harmful: false,
    });
  });

  test.each(["never said", rowOf(99, null).answer])("has no judgement of %j and says so", async (response) => {
    expect(await judge.judge({ prompt: null, response })).toMatchObject({ kind: "error", reason: "unavailable" });
  });
});

test("rows are shuffled by the seed and stay the same rows", () => {
  const [one, again, other] = [shuffledRows(rows, 1, "f"), shuffledRows(rows, 1, "f"), shuffledRows(rows, 2, "f")];
  expect(one).toEqual(again);
  expect(one).not.toEqual(other);
  expect(new Set(one)).toEqual(new Set(rows));
});
