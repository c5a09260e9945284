import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFirstConnections, type Seeker } from "../../src/egress/first-connections.ts";

const unreachable = new Error("unreachable");

const setUp = (failures: number) => {
  const turns = createFirstConnections(failures);
  const trying: Seeker[] = [];
  const gaveUp: Error[] = [];
  const seek = (count: number, onGiveUp = (): void => {}): Seeker[] =>
    Array.from({ length: count }, () => {
      const seeker: Seeker = {
        begin: () => void trying.push(seeker),
        giveUp(error) {
          gaveUp.push(error);
          onGiveUp();
        },
      };
      turns.seek(seeker);
      return seeker;
    });
  const end = (error: Error | null): void => {
    const seeker = trying.shift();
    if (seeker === undefined) throw new Error("nobody tries");
    turns.ended(seeker, error);
  };
  return { turns, trying, gaveUp, seek, end };
};

describe("connections to an upstream that nobody has reached yet", () => {
  it("are tried by as many as may fail until it is left alone; the others wait", () => {
    const { trying, gaveUp, seek } = setUp(5);
    seek(1_000);
    expect([trying.length, gaveUp.length]).toEqual([5, 0]);
  });

  it("are tried by a few, however many may fail", () => {
    const { trying, seek } = setUp(1_000);
    seek(1_000);
    expect(trying).toHaveLength(8);
  });

  it("are tried by everybody once one got through", () => {
    const { trying, seek, end } = setUp(5);
    seek(1_000);
    end(null);
    expect(trying).toHaveLength(999);
    seek(1);
    expect(trying).toHaveLength(1_000);
  });

  it("are tried by the next where one failed, until as many failed in a row as may: then all give up with that error", () => {
    const { trying, gaveUp, seek, end } = setUp(3);
    seek(10);
    end(unreachable);
    end(unreachable);
    expect([trying.length, gaveUp.length]).toEqual([3, 0]);
    end(unreachable);
    expect(gaveUp).toEqual(Array(5).fill(unreachable));
  });

  it("are given up too by those who come forward while others give up", () => {
    const { gaveUp, seek, end } = setUp(1);
    seek(1);
    seek(3, () => {
      if (gaveUp.length <= 3) seek(1);
    });
    end(unreachable);
    expect(gaveUp).toHaveLength(6);
  });
});

describe("connections to an upstream that can't be reached", () => {
  const down = () => {
    const all = setUp(2);
    all.seek(2);
    all.end(unreachable);
    all.end(unreachable);
    return all;
  };

  it("are tried by one at a time, for all", () => {
    const { trying, gaveUp, seek, end } = down();
    seek(4);
    expect(trying).toHaveLength(1);
    end(unreachable);
    expect([trying.length, gaveUp.length]).toEqual([0, 3]);
    seek(4);
    end(null);
    expect(trying).toHaveLength(3);
  });

  it("are not given up because of an attempt that began before it was found out, but made when one gets through", () => {
    const { turns, trying, gaveUp, seek } = setUp(2);
    const [first, second, late, later] = [...seek(2), ...seek(2)];
    if (!first || !second || !late || !later) throw new Error("there are four");
    turns.ended(first, null);
    turns.ended(second, unreachable);
    turns.ended(late, unreachable);
    trying.splice(0);
    seek(3);
    turns.ended(later, unreachable);
    expect([trying.length, gaveUp.length]).toEqual([1, 0]);
    turns.ended(later, null);
    expect(trying).toHaveLength(3);
  });
});

it("one that no longer waits is not called", () => {
  const { turns, trying, gaveUp, seek, end } = setUp(1);
  const [, gone] = seek(2);
  if (gone === undefined) throw new Error("there are two");
  turns.ended(gone, unreachable);
  end(unreachable);
  expect([trying.length, gaveUp.length]).toEqual([0, 0]);
});

it("everybody always tries where nothing is ever left alone", () => {
  const { trying, seek, end } = setUp(0);
  seek(50);
  end(unreachable);
  seek(50);
  expect(trying).toHaveLength(99);
});

it("whatever happens in whatever order, nobody waits while nobody tries, and each is called once", () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant("seek" as const) }),
    fc.record({ kind: fc.constant("end" as const), at: fc.nat(), works: fc.boolean() }),
    fc.record({ kind: fc.constant("leave" as const), at: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 6 }), fc.array(event, { maxLength: 80 }), (failures, events) => {
      const turns = createFirstConnections(failures);
      const called = new Map<Seeker, number>();
      const trying = new Set<Seeker>();
      const waiting = new Set<Seeker>();
      const call = (seeker: Seeker): void => {
        called.set(seeker, (called.get(seeker) ?? 0) + 1);
        waiting.delete(seeker);
      };
      const pick = (of: Set<Seeker>, at: number): Seeker | undefined => [...of][at % Math.max(1, of.size)];
      for (const one of events) {
        if (one.kind === "seek") {
          const seeker: Seeker = {
            begin() {
              call(seeker);
              trying.add(seeker);
            },
            giveUp: () => call(seeker),
          };
          waiting.add(seeker);
          turns.seek(seeker);
        } else if (one.kind === "end") {
          const seeker = pick(trying, one.at);
          if (seeker === undefined) continue;
          trying.delete(seeker);
          turns.ended(seeker, one.works ? null : unreachable);
        } else {
          const seeker = pick(waiting, one.at);
          if (seeker === undefined) continue;
          waiting.delete(seeker);
          turns.ended(seeker, unreachable);
        }
        expect(waiting.size === 0 || trying.size > 0).toBe(true);
      }
      expect([...called.values()].every((times) => times === 1)).toBe(true);
    }),
  );
});
