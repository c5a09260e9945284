import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FleetMember, fleetStandings } from "../../src/persona/fleet.ts";

const thresholds = { ticket: 1e4, page: 1e5, action: 1e6 };
const member = (id: string, evidence: number): FleetMember => ({ id, logEvidence: Math.log(evidence), thresholds });

/** e-BH as it is written down: the k with the most evidence, where k is the last for which M_(k) >= K A / k. */
const picked = (members: readonly FleetMember[], threshold: number): string[] => {
  const sorted = members.toSorted((a, b) => b.logEvidence - a.logEvidence || (a.id < b.id ? -1 : 1));
  const last = sorted.findLastIndex(
    ({ logEvidence }, at) => logEvidence - Math.log(threshold) >= Math.log(members.length / (at + 1)) - 1e-12,
  );
  return sorted.slice(0, last + 1).map(({ id }) => id);
};

describe("a fleet", () => {
  test("of one subject changes nothing", () => {
    const { logEvidence, ...rest } = fleetStandings([member("a", 2e5)]).get("a") ?? {};
    expect(rest).toEqual({ rank: 1, severity: "page" });
    expect(logEvidence).toBeCloseTo(Math.log(2e5), 12);
  });

  test.each([
    ["one of twenty needs twenty times the evidence", 1.9e6, "ticket"],
    ["and has it then", 2.001e6, "page"],
  ])("%s", (_, evidence, severity) => {
    const others = Array.from({ length: 19 }, (__, at) => member(`healthy-${at}`, 30));
    const standings = fleetStandings([...others, member("turned", evidence)]);
    expect(standings.get("turned")).toMatchObject({ rank: 1, severity });
    expect(standings.get("healthy-3")?.severity).toBe("none");
  });

  test("in which all turn pays nothing for being many", () => {
    const members = ["a", "b", "c", "d"].map((id) => member(id, 1e5));
    expect([...fleetStandings(members).values()].map(({ severity }) => severity)).toEqual(Array(4).fill("page"));
  });

  test("before the first datum reaches nothing", () => {
    const nobody = fleetStandings([member("b", 0), member("a", 0)]);
    expect(nobody.get("a")).toEqual({ rank: 1, logEvidence: Number.NEGATIVE_INFINITY, severity: "none" });
    expect(nobody.get("b")?.rank).toBe(2);
  });

  test("of no subjects is empty", () => {
    expect(fleetStandings([]).size).toBe(0);
  });

  test("reads each subject against its own thresholds", () => {
    const patient: FleetMember = {
      id: "patient",
      logEvidence: Math.log(1e6),
      thresholds: { ticket: 1e7, page: 1e8, action: 1e9 },
    };
    const standings = fleetStandings([patient, member("usual", 1e6)]);
    expect(standings.get("usual")).toMatchObject({ rank: 1, severity: "page" });
    expect(standings.get("patient")).toMatchObject({ rank: 2, severity: "none" });
  });

  test("picks at every severity exactly those that e-BH picks", () => {
    const evidences = fc.array(fc.double({ min: -5, max: 25, noNaN: true }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(evidences, (logs) => {
        const members = logs.map((logEvidence, at): FleetMember => ({ id: `s${at}`, logEvidence, thresholds }));
        const standings = fleetStandings(members);
        for (const [severity, reaching] of [
          ["ticket", ["ticket", "page", "action"]],
          ["page", ["page", "action"]],
          ["action", ["action"]],
        ] as const) {
          const ours = members.filter(({ id }) => reaching.some((one) => one === standings.get(id)?.severity));
          expect(ours.map(({ id }) => id).sort()).toEqual(picked(members, thresholds[severity]).sort());
        }
        for (const { id, logEvidence } of members) {
          const standing = standings.get(id);
          expect(standing?.logEvidence).toBeLessThanOrEqual(logEvidence + 1e-9);
        }
      }),
    );
  });
});
