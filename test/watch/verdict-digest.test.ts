import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/kernel/canonical-json.ts";

describe("canonical JSON", () => {
  test("sorts keys at every depth and keeps the order of lists", () => {
    expect(canonicalJson({ b: [2, 1, { d: null, c: "x" }], a: true, u: undefined })).toBe(
      '{"a":true,"b":[2,1,{"c":"x","d":null}]}',
    );
  });

  test("tells infinities from each other and from null", () => {
    expect(canonicalJson([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, null])).toBe(
      '["-Infinity","Infinity",null]',
    );
  });

  test("of finite values is JSON, to the last digit, whatever the order of the fields", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.double()), (fields) => {
        expect(canonicalJson(Object.fromEntries(Object.entries(fields).reverse()))).toBe(canonicalJson(fields));
      }),
    );
  });
});
