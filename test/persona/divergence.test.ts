import { describe, expect, test } from "vitest";
import { type ChannelFacts, divergenceOf, divergenceText } from "../../src/persona/divergence.ts";
import type { Divergence } from "../../src/persona/verdict.ts";

const logThreshold = Math.log(1e4);

const channel = (logEvidence: number, suspicion: number, n = 50): ChannelFacts => ({
  watched: true,
  evidence: { logEvidence, logThreshold },
  suspicion,
  n,
});

const up = channel(12, 9);
const rising = channel(5, 2);
const flat = channel(4, -0.2);
const flatForLong = channel(4, -0.2, 300);
const unwatched: ChannelFacts = { ...channel(Number.NEGATIVE_INFINITY, 0, 0), watched: false };

describe("live traffic and probes together tell of the cause", () => {
  test.each<[string, ChannelFacts, ChannelFacts, Divergence | null]>([
    ["both up: the subject", up, up, "subject"],
    ["live up, probes flat: the traffic", up, flat, "traffic"],
    ["live up, probes flat for long: probes are recognised, or the trigger is narrow", up, flatForLong, "hidden"],
    ["live up, probes on their way: not decided", up, rising, "undecided"],
    ["live up, probes without a baseline: not decided", up, unwatched, "undecided"],
    ["probes up, live flat: probes only", flat, up, "probes-only"],
    ["probes up, live on its way: not decided", rising, up, "undecided"],
    ["probes up, live never judged: not decided", unwatched, up, "undecided"],
    ["neither up: nothing to tell", rising, flat, null],
    ["nobody watched: nothing to tell", unwatched, unwatched, null],
  ])("%s", (_, live, probe, divergence) => {
    expect(divergenceOf(live, probe, false)).toBe(divergence);
    // A judge that moved explains whatever it flagged.
    expect(divergenceOf(live, probe, true)).toBe(divergence === null ? null : "judge");
  });
});

describe("the sentence", () => {
  test.each<[Divergence, ChannelFacts, ChannelFacts, RegExp]>([
    [
      "subject",
      up,
      up,
      /the subject itself has changed \(live e\^12\.0, probes e\^12\.0, threshold e\^9\.2; 50 probes/,
    ],
    ["traffic", up, flat, /a wave in the traffic.*50 probes judged since; .* after 300\)/],
    ["hidden", up, flatForLong, /recognises probes, or harms only on a narrow trigger .*300 probes judged since/],
    ["probes-only", flat, up, /Probes show it and live answers do not/],
    ["undecided", up, unwatched, /can't tell yet \(live e\^12\.0, probes no baseline/],
    ["judge", up, up, /The judge moved too/],
  ])("of %s says what it rests on", (divergence, live, probe, wording) => {
    expect(divergenceText(divergence, live, probe)).toMatch(wording);
  });
});
