/**
 * What live traffic and probes say together of where harm comes from. Their disagreement tells causes apart that neither
 * can tell alone. Read beside the alarm, never instead of it.
 */
import { flatForLong, suspicion } from "./settings.ts";
import type { Divergence, EvidenceValue } from "./verdict.ts";
import { countText, evidenceText, plural } from "./wording.ts";

export interface ChannelFacts {
  /** Whether any of its answers has a baseline. */
  watched: boolean;
  evidence: EvidenceValue;
  /** CUSUM twin, nats. */
  suspicion: number;
  /** Watched answers since the other channel's change began. */
  n: number;
}

type Standing = "up" | "rising" | "flat" | "unwatched";

const standingOf = ({ watched, evidence, suspicion: nats }: ChannelFacts): Standing => {
  if (!watched) return "unwatched";
  if (evidence.logEvidence >= evidence.logThreshold) return "up";
  return nats >= suspicion.hurry ? "rising" : "flat";
};

/** Null while neither alone is up. */
export const divergenceOf = (live: ChannelFacts, probe: ChannelFacts, judgeMoved: boolean): Divergence | null => {
  const [ofLive, ofProbe] = [standingOf(live), standingOf(probe)];
  if (ofLive !== "up" && ofProbe !== "up") return null;
  if (judgeMoved) return "judge";
  if (ofLive === "up" && ofProbe === "up") return "subject";
  if (ofLive === "up" && ofProbe === "flat") return probe.n >= flatForLong ? "hidden" : "traffic";
  return ofProbe === "up" && ofLive === "flat" ? "probes-only" : "undecided";
};

const meaning: Record<Divergence, string> = {
  subject: "Live answers and probes both show it: the subject itself has changed",
  traffic: "Live answers show it and probes do not: a wave in the traffic explains it",
  hidden:
    "Live answers show it and probes have stayed flat for long: the subject recognises probes, or harms only on a narrow trigger",
  "probes-only": "Probes show it and live answers do not: the app's own traffic does not bring it out, so far",
  undecided: "One of live answers and probes shows it, and the other can't tell yet",
  judge: "The judge moved too, so live answers and probes tell nothing of the cause",
};

/** One sentence with the numbers that it rests on. */
export const divergenceText = (divergence: Divergence, live: ChannelFacts, probe: ChannelFacts): string => {
  const value = ({ watched, evidence }: ChannelFacts): string =>
    watched ? evidenceText(evidence.logEvidence) : "no baseline";
  const patience =
    divergence === "traffic" ? `; probes that recognise the test would show after ${countText(flatForLong)}` : "";
  return (
    `${meaning[divergence]} (live ${value(live)}, probes ${value(probe)}, threshold ` +
    `${evidenceText(live.evidence.logThreshold)}; ${plural(probe.n, "probe")} judged since${patience}).`
  );
};
