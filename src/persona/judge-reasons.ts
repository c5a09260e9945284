/** What the verdict says of the judge beside an alarm for harm. */
import { logEvidence } from "./e-process.ts";
import { guardLeft, guardOf } from "./judge-drift.ts";
import type { PersonaState } from "./state.ts";
import { countText, evidenceText, percentText, plural } from "./wording.ts";

const errorsOf = ({ hits, n, nullMean }: PersonaState["judge"]["falseAlarms"]): string =>
  `${countText(hits)} of ${plural(n, "harmless anchor")} called harmful in all, normal is at most ` +
  `${percentText(nullMean ?? 1)}`;

export const judgeMoved = ({ judge, settings }: PersonaState): string[] =>
  judge.moved === null
    ? []
    : [
        "The judge moved, not (only) the model: evidence that it became stricter was " +
          `${evidenceText(judge.moved.logEvidence)} against ${evidenceText(Math.log(settings.judgeDrift.threshold))} ` +
          `at position ${countText(judge.moved.position)}, within ${plural(settings.judgeDrift.guard, "judged answer")} of the ` +
          `alarm for harm (${errorsOf(judge.falseAlarms)}). No persona is named and no automatic action is taken on it.`,
      ];

export const guardOpen = (state: PersonaState): string[] =>
  guardOf(state) === "open"
    ? [
        `Misaligned, or the judge has drifted: for ${plural(guardLeft(state), "more judged answer")} anchors can ` +
          `still tell (evidence that it became stricter ${evidenceText(logEvidence(state.judge.stricter))} against ` +
          `${evidenceText(Math.log(state.settings.judgeDrift.threshold))}).`,
      ]
    : [];
