/** The swap of one generation for another, with members that do as the test says. */
import { describe, expect, test } from "vitest";
import { configFrom } from "../../src/config/load.ts";
import { createGenerations } from "../../src/generations.ts";
import type { DeclaredSubject } from "../../src/watch/declared-subject.ts";
import { createHandClock } from "../probe/hand-clock.ts";

const missing = (): never => {
  throw new Error("the configuration has a subject");
};
const [{ detector } = missing()] = configFrom(
  { upstreams: [{ id: "up", baseUrl: "http://127.0.0.1:9" }], subjects: [{ id: "any", models: ["m"] }] },
  "the test",
).subjects;
const subject = (id: string, version = "1"): DeclaredSubject => ({ id, detector, versions: { declared: version } });

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};

const stage = () => {
  const clock = createHandClock();
  const did: string[] = [];
  const errors: unknown[] = [];
  let takes = true;
  const member = (name: string, subjects: DeclaredSubject[], replacedSeconds = 60) => {
    const over = Promise.withResolvers<void>();
    return {
      name,
      over,
      declared: subjects,
      names: { subjects: subjects.map(({ id }) => id), classifiers: [name], receivers: [], policies: [], models: [] },
      probers: new Map(subjects.map(({ id }) => [id, { stop: async () => void did.push(`${name} probes stop`) }])),
      config: { drain: { replacedSeconds } },
      begin: () => void did.push(`${name} begins`),
      finish: async () => {
        did.push(`${name} finishes`);
        await over.promise;
      },
      settled: async () => void did.push(`${name} settles`),
      breakOff: async () => {
        did.push(`${name} is broken off`);
        over.resolve();
      },
      close: async () => void did.push(`${name} closes`),
    };
  };
  const generations = createGenerations<ReturnType<typeof member>>({
    declare: async (subjects) => {
      if (!takes) throw new Error("the log takes nothing");
      did.push(`declared ${subjects.map(({ id, versions }) => `${id}${versions.declared}`).join(" ")}`);
    },
    expose: ({ subjects, classifiers }) => void did.push(`shows ${[...subjects, ...classifiers].join(" ")}`),
    inForce: ({ name }) => void did.push(`${name} in force`),
    clock,
    onError: (error) => void errors.push(error),
  });
  return {
    clock,
    generations,
    member,
    errors,
    refuse: (refuses: boolean) => {
      takes = !refuses;
    },
    /** What was done since it was asked last. */
    done: () => did.splice(0),
  };
};

describe("a generation that is entered", () => {
  test("is found by everybody at once, and the one before is closed when it is over", async () => {
    const { generations, member, done, errors } = stage();
    const one = member("one", [subject("a"), subject("gone")]);
    const two = member("two", [subject("a"), subject("new")]);
    await generations.enter(one);
    expect(done()).toEqual(["declared a1 gone1", "shows a gone one", "one in force"]);
    await generations.enter(two);
    expect(generations.current()).toBe(two);
    expect(generations.ending()).toBe(1);
    // A subject that is gone is known, and shown, until its last exchange is over.
    expect(done()).toEqual([
      "declared a1 gone1 new1",
      "shows a gone new one two",
      "two in force",
      "two begins",
      "one finishes",
    ]);
    one.over.resolve();
    await settle();
    expect(done()).toEqual(["declared a1 new1", "shows a new two", "one closes"]);
    expect(generations.ending()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("changes nothing where the log does not take its subjects", async () => {
    const { generations, member, done, refuse } = stage();
    const [old, changed] = [subject("a"), subject("a", "2")];
    const one = member("one", [old]);
    await generations.enter(one);
    done();
    refuse(true);
    await expect(generations.enter(member("two", [changed]))).rejects.toThrow("the log takes nothing");
    expect(done()).toEqual([]);
    expect(generations.current()).toBe(one);
    expect([generations.isDeclared(old), generations.isDeclared(changed)]).toEqual([true, false]);
  });

  test("says what a subject is: what an older one sees of another is no evidence about it", async () => {
    const { generations, member } = stage();
    const [old, same, changed] = [subject("a"), subject("b"), subject("a", "2")];
    await generations.enter(member("one", [old, same]));
    expect(generations.isDeclared(old)).toBe(true);
    await generations.enter(member("two", [changed, same]));
    expect([old, same, changed].map(generations.isDeclared)).toEqual([false, true, true]);
  });
});

describe("a generation that was replaced", () => {
  test("is broken off when its time is over", async () => {
    const { generations, member, done, clock } = stage();
    await generations.enter(member("one", [subject("a")]));
    await generations.enter(member("two", [subject("a")], 60));
    done();
    await clock.advance(59_000);
    expect(done()).toEqual([]);
    await clock.advance(2_000);
    await settle();
    expect(done()).toEqual(["one is broken off", "declared a1", "shows a two", "one closes"]);
  });

  test("may end after one that came later", async () => {
    const { generations, member, done } = stage();
    const [one, two, three] = [member("one", [subject("a")]), member("two", [subject("b")]), member("three", [])];
    for (const next of [one, two, three]) await generations.enter(next);
    done();
    expect(generations.ending()).toBe(2);
    two.over.resolve();
    await settle();
    expect(done()).toEqual(["declared a1", "shows a one three", "two closes"]);
    one.over.resolve();
    await settle();
    expect(done()).toEqual(["declared ", "shows three", "one closes"]);
  });
});

test("a drain stops the probes of all, waits for the answers of all, and closes all", async () => {
  const { generations, member, done } = stage();
  await generations.enter(member("one", [subject("a")]));
  await generations.enter(member("two", [subject("a")]));
  done();
  const answered = Promise.withResolvers<void>();
  let drained = false;
  const draining = generations.drain(answered.promise).then(() => {
    drained = true;
  });
  await settle();
  expect(done()).toEqual(["one probes stop", "two probes stop"]);
  expect(drained).toBe(false);
  answered.resolve();
  await draining;
  expect(done()).toEqual(["one settles", "two settles"]);
  await generations.close();
  expect(done()).toEqual(["one closes", "two closes"]);
});
