import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bucketCount,
  countFeatures,
  hashWords,
  readLength,
  weighFeatures,
} from "../../src/classify/screen-features.ts";

const everyBucket = new Uint8Array(bucketCount).fill(100);

describe("words", () => {
  test.each([
    ["", 0],
    ["  \n\t ", 0],
    ["one", 1],
    ["one two", 2],
    ["don't stop", 2],
    ["'quoted' words'", 2],
    ["a-b_c.d,e", 5],
    ["naïve café", 2],
    ["你好 世界", 2],
    ["x\u2014y", 2],
    ["\ud800 \udc00", 2],
    ["😀", 1],
    ["$$$ !!! ...", 0],
  ])("%j has %i words", (text, words) => {
    expect(hashWords(text)).toHaveLength(words);
  });

  test.each([
    ["Stop NOW", "stop now"],
    ["don\u2019t", "don't"],
    ["one  two", "one, two!"],
  ])("%j reads as %j", (a, b) => {
    expect(hashWords(a)).toEqual(hashWords(b));
  });

  test("the hash is FNV-1a with 32 bits", () => {
    // Published test vectors of FNV-1a for "a" and "foobar".
    expect(hashWords("a foobar").map((hash) => hash >>> 0)).toEqual([0xe40c292c, 0xbf9cf968]);
  });
});

describe("features", () => {
  test("two words in a row count as a pair, in their order", () => {
    expect(countFeatures("never mix").size).toBe(3);
    expect(countFeatures("never mix")).not.toEqual(countFeatures("mix never"));
  });

  test("what comes after the read length changes nothing", () => {
    const start = "word ".repeat(readLength / 5);
    expect(countFeatures(`${start}and more`)).toEqual(countFeatures(start));
  });

  test("any text gives a vector of length 1 or an empty one, within the buckets", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
        const { buckets, values } = weighFeatures(countFeatures(text), everyBucket);
        expect(buckets.every((bucket) => bucket < bucketCount)).toBe(true);
        const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
        expect(length).toBeCloseTo(buckets.length === 0 ? 0 : 1, 9);
      }),
      { seed: 1 },
    );
  });

  test("a bucket that training did not keep has no part in the length", () => {
    const counts = countFeatures("known unknown");
    const [first] = counts.keys();
    const idf = new Uint8Array(bucketCount);
    idf[first ?? 0] = 7;
    expect([...weighFeatures(counts, idf).values]).toEqual([1]);
  });
});
