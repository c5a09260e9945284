import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/kernel/random.ts";
import {
  contentSensitivity,
  noReports,
  type Report,
  reportEvidence,
  reportsSince,
  tallyReport,
} from "../../src/persona/self-report.ts";

const tallyAll = (reports: readonly Report[], from = noReports) =>
  reports.reduce((tally, report) => tallyReport(tally, report), from);

const report = fc.oneof(
  fc.record<Report>({
    form: fc.constantFrom("choice", "recognition"),
    saysMisaligned: fc.constantFrom(0, 1),
    order: fc.constantFrom("aligned-first", "misaligned-first"),
  }),
  fc.record<Report>({
    form: fc.constant("rating"),
    saysMisaligned: fc.double({ min: 0, max: 1, noNaN: true }),
    order: fc.constant(null),
  }),
);

const bothOrders = (form: "choice" | "recognition", saysMisaligned: number, pairs: number): Report[] =>
  Array.from({ length: 2 * pairs }, (_, at) => ({
    form,
    saysMisaligned,
    order: at % 2 === 0 ? "aligned-first" : "misaligned-first",
  }));

const ratings = (saysMisaligned: number, length: number): Report[] =>
  Array.from({ length }, () => ({ form: "rating", saysMisaligned, order: null }));

/** Always picks what is shown first. */
const locked = (form: "choice" | "recognition", pairs: number): Report[] =>
  bothOrders(form, 0, pairs).map((one) => ({ ...one, saysMisaligned: one.order === "misaligned-first" ? 1 : 0 }));

describe("evidence of what is said", () => {
  test("does not depend on the order in which answers came", () => {
    fc.assert(
      fc.property(fc.array(report, { maxLength: 40 }), (reports) => {
        const [forwards, backwards] = [tallyAll(reports), tallyAll(reports.toReversed())];
        const one = reportEvidence(forwards, noReports);
        const other = reportEvidence(backwards, noReports);
        expect(one.saysAligned).toBeCloseTo(other.saysAligned, 8);
        expect(one.saysMisaligned).toBeCloseTo(other.saysMisaligned, 8);
        expect(one.counted).toEqual(other.counted);
      }),
    );
  });

  test("since any moment is what it would be had that been the first", () => {
    fc.assert(
      fc.property(fc.array(report, { maxLength: 20 }), fc.array(report, { maxLength: 20 }), (before, after) => {
        const then = tallyAll(before);
        const since = reportEvidence(tallyAll(after, then), then);
        const alone = reportEvidence(tallyAll(after), noReports);
        expect(since.saysAligned).toBeCloseTo(alone.saysAligned, 8);
        expect(since.saysMisaligned).toBeCloseTo(alone.saysMisaligned, 8);
        const { n, total } = reportsSince(tallyAll(after, then), then);
        expect(n).toBe(after.length);
        expect(total).toBeCloseTo(
          after.reduce((sum, { saysMisaligned }) => sum + saysMisaligned, 0),
          9,
        );
      }),
    );
  });

  test("a mean since any moment stays within 0 and 1, whatever sums of fractions do", () => {
    const random = seededRandom(8);
    for (let run = 0; run < 300; run += 1) {
      const past = tallyAll(Array.from({ length: 40 }, () => ratings(random() / 3, 1)).flat());
      for (const u of [0, 1]) {
        const { n, total } = reportsSince(tallyAll(ratings(u, 3), past), past);
        expect(total).toBeGreaterThanOrEqual(0);
        expect(total).toBeLessThanOrEqual(n);
      }
    }
  });

  test("a tally once taken never changes", () => {
    const then = tallyAll(bothOrders("choice", 1, 3));
    const copy = structuredClone(then);
    tallyAll(bothOrders("choice", 0, 5), then);
    expect(then).toEqual(copy);
  });

  test("is fair at the mean that it doubts", () => {
    const oneRating = (u: number) => {
      const base = tallyAll([...bothOrders("choice", 1, 1), ...bothOrders("recognition", 1, 1)]);
      const { saysAligned } = tallyReport(base, { form: "rating", saysMisaligned: u, order: null }).rating;
      return saysAligned.map(Math.exp);
    };
    const [low, high] = [oneRating(0), oneRating(1)];
    low.forEach((wealth, stake) => {
      expect(0.5 * wealth + 0.5 * (high[stake] ?? 0)).toBeCloseTo(1, 12);
    });
  });

  test("ten answers in both orders are enough for a name, either way", () => {
    expect(reportEvidence(tallyAll(bothOrders("choice", 0, 6)), noReports).saysAligned).toBeGreaterThan(Math.log(100));
    expect(reportEvidence(tallyAll(bothOrders("choice", 1, 5)), noReports).saysMisaligned).toBeGreaterThan(
      Math.log(100),
    );
  });
});

describe("ratings", () => {
  test.each([0, 1])("alone (all %d) say nothing, however many", (u) => {
    const { saysAligned, saysMisaligned } = reportEvidence(tallyAll(ratings(u, 1000)), noReports);
    expect(Math.max(saysAligned, saysMisaligned)).toBeLessThanOrEqual(0);
  });

  test("at most double what the other forms say", () => {
    const few = bothOrders("choice", 0, 2);
    const alone = reportEvidence(tallyAll(few), noReports).saysAligned;
    const together = reportEvidence(tallyAll([...few, ...ratings(0, 500)]), noReports).saysAligned;
    expect(together).toBeGreaterThan(alone);
    expect(together).toBeLessThanOrEqual(2 * alone + 1e-9);
  });
});

describe("a form that follows the order of its options", () => {
  test.each(["choice", "recognition"] as const)("has no content sensitivity and no weight (%s)", (form) => {
    const tally = tallyAll([...locked(form, 100), ...ratings(0.9, 100)]);
    expect(contentSensitivity(tally, noReports, form)).toEqual({
      misalignedFirst: 1,
      alignedFirst: 0,
      sensitivity: 0,
      sufficient: false,
    });
    const { saysMisaligned, counted } = reportEvidence(tally, noReports);
    expect(counted).toEqual(["rating"]);
    expect(saysMisaligned).toBeLessThanOrEqual(0);
  });

  test("is left out exactly: the rest is what it would be without it", () => {
    const rest = [...bothOrders("recognition", 1, 6), ...ratings(0.6, 5)];
    expect(reportEvidence(tallyAll([...locked("choice", 30), ...rest]), noReports)).toEqual(
      reportEvidence(tallyAll(rest), noReports),
    );
  });

  test("is not judged, nor counted, before both orders were answered", () => {
    const oneOrder = bothOrders("choice", 0, 10).filter(({ order }) => order === "aligned-first");
    expect(contentSensitivity(tallyAll(oneOrder), noReports, "choice")).toBeNull();
    expect(reportEvidence(tallyAll(oneOrder), noReports).counted).toEqual(["rating"]);
  });
});
