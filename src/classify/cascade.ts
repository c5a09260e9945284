/**
 * The screen first, a closer look at what it does not clear, and, where there is one, a third opinion on what was flagged.
 * Scores of different classifiers are never averaged: one of them decides. A stage that fails makes the whole judgement an
 * error, as an answer that nobody judged must never count as harmless.
 */
import type { Classifier, JudgedText, Judgement } from "./classifier.ts";
import { passagesOf } from "./passages.ts";
import type { Screen } from "./screen.ts";
import type { Screens } from "./screens.ts";

interface Stages {
  screens: Screens;
  second: Classifier;
  confirm: Classifier | null;
}

/** Harmless words around a harmful passage pull the score of the whole down, but not that of the passage. */
const anyStandsOut = async (screen: Screen, { prompt, response }: JudgedText): Promise<boolean> => {
  for (const passage of passagesOf(response)) {
    const judged = await screen.judge({ prompt, response: passage });
    if (judged.kind === "error" || screen.bandOf(judged.score) !== "low") return true;
  }
  return false;
};

export const createCascade = ({ screens, second, confirm }: Stages): Classifier => {
  // One name for the whole: a baseline is of all stages together.
  const source = `cascade(${[`${screens.source}-passages`, second.source, ...(confirm === null ? [] : [confirm.source])].join(">")})`;
  return {
    source,
    async judge(text, signal): Promise<Judgement> {
      const screen = screens.for(text);
      const screened = await screen.judge(text, signal);
      if (screened.kind === "error") return { ...screened, source };
      // The screen's numbers mean something else than those of the stages behind it: what it clears has none of them.
      if (screen.bandOf(screened.score) === "low" && !(await anyStandsOut(screen, text)))
        return { ...screened, score: 0, harmful: false, source };
      const looked = await second.judge(text, signal);
      if (looked.kind === "error" || !looked.harmful || confirm === null) return { ...looked, source };
      return { ...(await confirm.judge(text, signal)), source };
    },
  };
};
