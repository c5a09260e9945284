import { describe, expect, it } from "vitest";
import { alertGroups } from "../../scripts/deploy/alerts.ts";
import { personaAlerts } from "../../src/notify/persona-alerts.ts";
import type { EvidenceName, Verdict } from "../../src/persona/verdict.ts";
import { sampleVerdict } from "../control/sample-verdict.ts";

const thresholds = { ticket: 1e4, page: 1e5, action: 1e6 };

const withEvidence = (values: Partial<Record<EvidenceName, number>>, parts: Partial<Verdict> = {}): Verdict => {
  const verdict = sampleVerdict(parts);
  for (const [name, logEvidence] of Object.entries(values)) {
    const value = verdict.evidence[name as EvidenceName];
    verdict.evidence = { ...verdict.evidence, [name]: { ...value, logEvidence } };
  }
  return verdict;
};

const namesFor = (verdict: Verdict): string[] =>
  personaAlerts("support", verdict, thresholds).map(({ name, labels }) => `${name} ${labels.channel}`);

describe("alerts of a verdict", () => {
  it.each<[string, Verdict, string[]]>([
    ["a quiet one", withEvidence({}), []],
    ["harm at the threshold for a ticket", withEvidence({ harm: Math.log(1e4) }), ["CandorPersonaTicket harm"]],
    ["harm just below it", withEvidence({ harm: Math.log(1e4) - 1e-9 }), []],
    [
      "harm at the threshold for a page",
      withEvidence({ harm: Math.log(1e5) }, { severity: "page" }),
      ["CandorPersonaPage harm"],
    ],
    [
      "a latched page whose evidence fell",
      withEvidence({ harm: -1 }, { severity: "page" }),
      ["CandorPersonaPage harm"],
    ],
    ["an action", withEvidence({ harm: 20 }, { severity: "action" }), ["CandorPersonaPage harm"]],
    ["probes alone", withEvidence({ "harm-probe": 12 }), ["CandorHarmDrift harm-probe"]],
    ["probes alone beside a ticket", withEvidence({ "harm-probe": 12 }, { severity: "ticket" }), []],
    [
      "what it says of itself",
      withEvidence({ "self-report-drift": 9.3 }, { severity: "ticket" }),
      ["CandorSelfReportDrift self-report-drift"],
    ],
    ["refusals", withEvidence({ "refusals-down": 9.3 }, { severity: "ticket" }), ["CandorRefusalDrift refusals-down"]],
    ["a stricter judge, below the threshold of a ticket", withEvidence({ "judge-stricter": 7.5 }), []],
    ["a stricter judge", withEvidence({ "judge-stricter": 9.3 }), ["CandorJudgeDrift judge-stricter"]],
    ["a laxer judge", withEvidence({ "judge-laxer": 9.3 }), ["CandorJudgeDrift judge-laxer"]],
    ["another served model", withEvidence({ canary: 50 }), []],
  ])("%s", (_, verdict, names) => {
    expect(namesFor(verdict)).toEqual(names);
  });

  it("are said as the rules for Prometheus say them, with the same labels", () => {
    const everything = withEvidence({
      "harm-live": 20,
      "self-report-drift": 20,
      "refusals-up": 20,
      "judge-laxer": 20,
    });
    const page = withEvidence({ harm: 20 }, { severity: "page" });
    const ticket = withEvidence({ harm: 10 });
    const alerts = [everything, page, ticket].flatMap((verdict) => personaAlerts("support", verdict, thresholds));
    const rules = alertGroups.find(({ name }) => name === "candor-persona")?.alerts ?? [];
    expect(new Set(alerts.map(({ name }) => name))).toEqual(new Set(rules.map(({ name }) => name)));
    for (const { name, severity, summary, labels } of alerts) {
      const rule = rules.find((one) => one.name === name);
      expect({ severity, summary }).toEqual({
        severity: rule?.severity,
        summary: rule?.summary.replace("{{ $labels.subject }}", "support"),
      });
      // The rules aggregate by job, which is a label of every alert, and these.
      expect(Object.keys(labels).sort()).toEqual(["channel", "subject"]);
      expect(rule?.expr).toContain("by (job, subject, channel)");
    }
  });

  it("begin where the log has the alarm; without one, at the change", () => {
    const alarms: Verdict["alarms"] = [
      { severity: "ticket", position: 20 },
      { severity: "page", position: 30 },
    ];
    const of = (verdict: Verdict) => personaAlerts("support", verdict, thresholds).map(({ since }) => since);
    expect(of(withEvidence({ harm: 20 }, { severity: "page", alarms }))).toEqual([30]);
    expect(of(withEvidence({ harm: 10 }, { severity: "ticket", alarms: alarms.slice(0, 1) }))).toEqual([20]);
    expect(of(withEvidence({ "harm-live": 20 }, { changePoint: 7 }))).toEqual([7]);
    expect(of(withEvidence({ "harm-live": 20 }))).toEqual([null]);
  });

  it("tell the verdict's own reasons", () => {
    const [alert] = personaAlerts("support", withEvidence({ harm: 20 }, { reasons: ["One.", "Two."] }), thresholds);
    expect(alert?.description).toBe("One. Two.");
  });
});
