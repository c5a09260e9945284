import { expect, test } from "vitest";
import { createSharedParts } from "../../src/kernel/shared-parts.ts";

test("a part is one for all who ask for it at a time, and is closed when the last has let go", async () => {
  const closed: string[] = [];
  let made = 0;
  const parts = createSharedParts<string>((part) => void closed.push(part));
  const make = (): string => {
    made += 1;
    return `part ${made}`;
  };
  const [one, other] = [parts.take("a", make), parts.take("a", make)];
  const apart = parts.take("b", make);
  expect([one.part, other.part, apart.part]).toEqual(["part 1", "part 1", "part 2"]);
  await one.release();
  await one.release();
  expect(closed).toEqual([]);
  await other.release();
  expect(closed).toEqual(["part 1"]);
  expect(parts.take("a", make).part).toBe("part 3");
  expect(parts.count()).toBe(2);
});

test("what could not be made is asked for again", () => {
  const parts = createSharedParts<string>(() => {});
  expect(() =>
    parts.take("a", () => {
      throw new Error("not now");
    }),
  ).toThrow("not now");
  expect(parts.take("a", () => "made").part).toBe("made");
});
