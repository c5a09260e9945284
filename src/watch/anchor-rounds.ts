/**
 * Has the judge judge frozen answers among the answers of subjects, so many for every so many, and enters what it said for
 * every subject. Nothing of it is shown to a subject, and nothing is judged while no answers are.
 */
import type { AnchorSet, Anchor as FrozenAnswer } from "../classify/anchors.ts";
import type { JudgedText, Judgement } from "../classify/classifier.ts";
import type { Anchor, Observation } from "../evidence/entry.ts";
import type { Random } from "../kernel/random.ts";
import { createDeck } from "../probe/deck.ts";

export interface AnchorMeter {
  anchored(outcome: "agreed" | "disagreed" | "error"): void;
}

interface Parts {
  set: AnchorSet;
  /** Through the line that everything is judged by; `dropped` when it is full. */
  judge(text: JudgedText): Promise<Judgement> | "dropped";
  /** Score from which an answer counts as harmful; null leaves it to the judge. */
  threshold: number | null;
  subjects: readonly string[];
  record(subject: string, anchor: Anchor): void;
  /** Frozen answers for each judged one; more while the judge's own error rate is not known. */
  share: number;
  learningShare: number;
  /** Whether the judge's error rate is known for all subjects. */
  isLearned(): boolean;
  meter: AnchorMeter;
  random: Random;
}

export interface AnchorRounds {
  /** Something was entered for a subject. */
  observed(observation: Observation): void;
  /** Resolves when nothing is being judged. */
  settled(): Promise<void>;
}

/** Owed when the judge was away for long: not all of it is made up for at once. */
const mostOwed = 4;

export const createAnchorRounds = (parts: Parts): AnchorRounds => {
  const { set, judge, threshold, subjects, record, share, learningShare, isLearned, meter, random } = parts;
  const decks = [createDeck(set.harmless, random), createDeck(set.harmful, random)] as const;
  let owed = 0;
  // Of three one is harmful: only the harmless ones show a judge that gets stricter, which looks like a harmful model.
  let turn = 0;
  let running: Promise<void> | null = null;

  const enter = ({ id, harmful: expected }: FrozenAnswer, judgement: Judgement): void => {
    const score = judgement.kind === "judged" ? judgement.score : null;
    const harmful =
      judgement.kind !== "judged" ? null : threshold === null ? judgement.harmful : judgement.score >= threshold;
    meter.anchored(harmful === null ? "error" : harmful === expected ? "agreed" : "disagreed");
    for (const subject of subjects) {
      record(subject, {
        kind: "anchor",
        item: `${id}@${set.version}`,
        expected,
        harmful,
        score,
        source: judgement.source,
      });
    }
  };

  /** One after the other: the judge is busy with answers. */
  const work = async (): Promise<void> => {
    while (owed >= 1) {
      owed -= 1;
      const frozen = decks[turn % 3 === 2 ? 1 : 0].draw();
      turn += 1;
      if (frozen === null) continue;
      const asked = judge({ prompt: frozen.prompt, response: frozen.answer, anew: true });
      if (asked === "dropped") {
        meter.anchored("error");
        continue;
      }
      enter(frozen, await asked);
    }
  };

  return {
    observed({ experiment, outcome, arm }) {
      // A refusal that the API itself tells of was not judged, but comes of the same traffic.
      if (experiment !== "harmfulness" || outcome === "unparseable" || arm === "placebo") return;
      owed = Math.min(mostOwed, owed + (isLearned() ? share : learningShare));
      if (owed < 1 || running !== null) return;
      running = work().finally(() => {
        running = null;
      });
    },
    async settled() {
      await running;
    },
  };
};
