/** What every evidence store has to do, whatever it keeps the rows in. A new store calls `describeStore` with its own. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Entry, EntryBody, NewEntry } from "../../src/evidence/entry.ts";
import { arms, experiments } from "../../src/evidence/entry.ts";
import type { EntryFilter, EvidenceStore } from "../../src/evidence/store.ts";
import { decisionOf, observationOf } from "../watch/rows.ts";
import { rowOf } from "./evidence-files.ts";

export interface Place {
  /** Opens the store of this place; what an earlier one wrote is there. The earlier one is closed by then. */
  open(): EvidenceStore | Promise<EvidenceStore>;
  remove(): void | Promise<void>;
}

const everything = 1_000_000;
const all = async (store: EvidenceStore): Promise<Entry[]> => store.since(0, everything);
const given = ({ subject, at, body }: Entry): NewEntry => ({ subject, at, body });

const text = fc.string({ unit: "binary", maxLength: 20 });
const unit = fc.double({ min: 0, max: 1, noNaN: true });
const body: fc.Arbitrary<EntryBody> = fc.oneof(
  fc
    .record({
      experiment: fc.constantFrom(...experiments),
      arm: fc.constantFrom(...arms),
      stratum: fc.constantFrom("live", "fresh"),
      item: text,
      topic: fc.option(text),
      outcome: fc.constantFrom("scored", "refused", "unparseable", "error"),
      value: fc.option(unit),
      harmful: fc.option(fc.boolean()),
      reference: fc.option(unit),
      content: fc.option(text),
    })
    .map(observationOf),
  fc.record({ kind: fc.constant("acknowledgement"), actor: text, note: text }),
  fc.record({
    kind: fc.constant("verdict"),
    persona: text,
    severity: text,
    digest: text,
    reasons: fc.array(text, { maxLength: 3 }),
  }),
);
const newEntry: fc.Arbitrary<NewEntry> = fc.record({
  subject: fc.constantFrom("bot", "other"),
  at: fc.integer({ min: 0, max: 4e12 }),
  body,
});

const mixedRows: NewEntry[] = Array.from({ length: 48 }, (_, index) => ({
  subject: index % 3 === 0 ? "other" : "bot",
  at: index,
  body:
    index % 5 === 0
      ? { kind: "acknowledgement", actor: "key-1", note: `${index}` }
      : index % 5 === 1
        ? decisionOf(index % 2 === 0 ? "one" : "two", index % 4 === 1 ? "enforced" : "would")
        : observationOf({
            item: `q#${index}`,
            experiment: index % 2 === 0 ? "harmfulness" : "self-assessment",
            arm: index % 4 === 0 ? "live" : "fresh",
            outcome: index % 7 === 0 ? "refused" : "scored",
            harmful: index % 4 === 0 ? index % 8 === 0 : null,
          }),
}));

const filters: [name: string, filter: EntryFilter][] = [
  ["nothing", {}],
  ["a subject", { subject: "other" }],
  ["a kind", { kinds: ["observation"] }],
  ["two kinds", { kinds: ["observation", "acknowledgement"] }],
  ["no kind at all", { kinds: [] }],
  ["an experiment", { experiment: "harmfulness" }],
  ["an arm", { arm: "live" }],
  ["an outcome", { outcome: "refused" }],
  ["harm", { harmful: true }],
  ["judged harmless", { harmful: false, subject: "bot" }],
  [
    "all of them",
    { subject: "bot", kinds: ["observation"], experiment: "harmfulness", arm: "live", outcome: "scored" },
  ],
  ["an action", { outcome: "block" }],
  ["a policy", { policy: "one" }],
  ["a result", { result: "would", subject: "bot" }],
  ["something that is nowhere", { subject: "nobody" }],
];

/** The filter said once more, in plain words. */
const wanted = ({ subject, body }: Entry, filter: EntryFilter): boolean => {
  const row: Record<string, unknown> = body.kind === "observation" ? { ...body } : {};
  const decided =
    body.kind === "decision"
      ? { outcome: body.action, policy: body.findings[0]?.policy, result: body.findings[0]?.result }
      : {};
  const { kinds, ...equal } = filter;
  const all = { ...row, ...decided, subject };
  return (
    (kinds === undefined || kinds.includes(body.kind)) &&
    Object.entries(equal).every(([name, value]) => new Map(Object.entries(all)).get(name) === value)
  );
};

export const describeStore = (name: string, newPlace: () => Place | Promise<Place>): void => {
  describe(name, () => {
    let place: Place;
    let store: EvidenceStore;
    beforeEach(async () => {
      place = await newPlace();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    const reopen = async (): Promise<void> => {
      await store.close();
      store = await place.open();
    };

    test("gives positions 1, 2, 3, ... at once", () => {
      expect([1, 2, 3].map((item) => store.append(rowOf(item)).position)).toEqual([1, 2, 3]);
    });

    test("is empty at first", async () => {
      expect(await all(store)).toEqual([]);
      expect(await store.latest(10)).toEqual([]);
      expect(store.head().position).toBe(0);
      expect(store.health()).toEqual({ writable: true, pending: 0, dropped: 0, lastError: null });
    });

    test("gives back what was appended, before it is on disk, after, and after a restart", async () => {
      const entries = mixedRows.map((row) => store.append(row));
      expect(entries.map(given)).toEqual(mixedRows);
      expect(await all(store)).toEqual(entries);
      await store.flush();
      expect(await all(store)).toEqual(entries);
      await reopen();
      expect(await all(store)).toEqual(entries);
    });

    test("tells each row's place in the chain, once it is on disk", async () => {
      for (const row of mixedRows.slice(0, 3)) store.append(row);
      expect(await store.link(2)).toBeNull();
      await store.flush();
      const [first, second, third] = await Promise.all([1, 2, 3].map((position) => store.link(position)));
      expect(second).toEqual({ hash: third?.previous, previous: first?.hash });
      expect(third?.hash).toBe(store.head().hash);
      expect(first?.previous).toMatch(/^[0-9a-f]{64}$/);
      expect(await store.link(4)).toBeNull();
    });

    test("moves its head only by what is on disk", async () => {
      store.append(rowOf(1));
      expect(store.head().position).toBe(0);
      expect(store.health().pending).toBe(1);
      await store.flush();
      expect(store.head()).toMatchObject({ position: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect(store.health().pending).toBe(0);
    });

    test("goes on after a restart where it ended", async () => {
      store.append(rowOf(1));
      await store.flush();
      const head = store.head();
      await reopen();
      expect(store.head()).toEqual(head);
      expect(store.append(rowOf(2)).position).toBe(2);
    });

    test("writes by itself", async () => {
      store.append(rowOf(1));
      await expect.poll(() => store.head().position, { timeout: 10_000 }).toBe(1);
    });

    test("writes when it is closed, and can be closed twice", async () => {
      store.append(rowOf(1));
      await Promise.all([store.close(), store.close()]);
      store = await place.open();
      expect(await all(store)).toHaveLength(1);
    });

    test("counts what is appended after it was closed as dropped", async () => {
      await store.close();
      store.append(rowOf(1));
      expect(store.health().dropped).toBe(1);
    });

    test("keeps content beside the row", async () => {
      store.append(rowOf(1, { content: "what was said\0é😀", contentHash: "ab" }));
      await reopen();
      expect((await all(store))[0]?.body).toMatchObject({ content: "what was said\0é😀", contentHash: "ab" });
    });

    test("keeps the same content in memory and on disk where a character was cut in half", async () => {
      const { body: before } = store.append(rowOf(1, { content: "😀".slice(0, 1) }));
      await reopen();
      expect((await all(store))[0]?.body).toEqual(before);
    });

    test.each([
      ["a value that is no number", rowOf(1, { value: Number.NaN }), /value: /],
      ["a value above 1", rowOf(1, { value: 1.5 }), /value: /],
      ["an empty stratum", rowOf(1, { stratum: "" }), /stratum: /],
      ["a time that is no number", { ...rowOf(1), at: Number.NaN }, /at: /],
    ])("refuses %s and gives it no position", async (_, row, message) => {
      expect(() => store.append(row)).toThrow(message);
      expect(store.append(rowOf(2)).position).toBe(1);
      await reopen();
      expect(await all(store)).toHaveLength(1);
    });

    // The first half is on disk, the second in memory: every answer has to join the two.
    describe.each(filters)("filtered by %s", (_, filter) => {
      let entries: Entry[];
      beforeEach(async () => {
        const stored = mixedRows.slice(0, 24).map((row) => store.append(row));
        await store.flush();
        entries = [...stored, ...mixedRows.slice(24).map((row) => store.append(row))];
      });

      test("gives the oldest after a position, across disk and memory", async () => {
        for (const position of [0, 10, 23, 24, 25, 40, 48]) {
          for (const limit of [0, 1, 5, 24, 100]) {
            const expected = entries.filter((entry) => entry.position > position && wanted(entry, filter));
            expect(await store.since(position, limit, filter)).toEqual(expected.slice(0, limit));
          }
        }
      });

      test("gives the newest before a position, across disk and memory", async () => {
        for (const before of [undefined, 1, 10, 24, 25, 26, 40]) {
          for (const limit of [0, 1, 5, 24, 100]) {
            const expected = entries
              .filter((entry) => entry.position < (before ?? everything) && wanted(entry, filter))
              .reverse();
            expect(await store.latest(limit, filter, before)).toEqual(expected.slice(0, limit));
          }
        }
      });
    });

    test("any sequence of appends, flushes and restarts gives back exactly the entries in order", async () => {
      const step = fc.oneof(
        { weight: 8, arbitrary: newEntry.map((row) => ({ do: "append" as const, row })) },
        { weight: 2, arbitrary: fc.constant({ do: "flush" as const }) },
        { weight: 1, arbitrary: fc.constant({ do: "restart" as const }) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const before = await all(store);
          const appended: Entry[] = [];
          for (const one of steps) {
            if (one.do === "append") appended.push(store.append(one.row));
            else if (one.do === "flush") await store.flush();
            else await reopen();
          }
          expect(appended.map(({ position }) => position)).toEqual(
            appended.map((_, index) => before.length + index + 1),
          );
          expect(await all(store)).toEqual([...before, ...appended]);
          expect(await store.latest(everything)).toEqual([...before, ...appended].reverse());
        }),
        { seed: 20_261_123, numRuns: 40 },
      );
    });
  });
};
