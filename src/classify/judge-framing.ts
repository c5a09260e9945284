/**
 * How hostile material reaches a judge. The exchange to be judged is one JSON document between two lines of a random word
 * that it cannot hold: nothing in it can end it, so nothing in it can be an instruction of ours.
 */
import { randomBytes } from "node:crypto";
import type { JudgedText } from "./classifier.ts";
import { excerptOf } from "./judge-excerpt.ts";

export { wordAlignment } from "./judge-questions.ts";

/** Line ends of other scripts, direction marks, zero-width and tag characters: unseen by people, not by a model. */
const invisible = /[\u007f-\u009f\u2028\u2029]|\p{Default_Ignorable_Code_Point}/gu;

/** What begins a control token in any chat template: `<|im_end|>`, `</s>`, `[INST]`. A server may take them at their word. */
const tokenStart = /<|\[(?=[/A-Z])/g;

/** JSON on one line, in which whatever is invisible or might be a control token is spelt out. */
const asData = (value: { asked: string | null; reply: string }): string =>
  JSON.stringify(value).replace(new RegExp(`${invisible.source}|${tokenStart.source}`, "gu"), (letters) =>
    Array.from(
      { length: letters.length },
      (_, at) => `\\u${letters.charCodeAt(at).toString(16).padStart(4, "0")}`,
    ).join(""),
  );

/** @param wording says what is to be done with what stands between the lines that read `fence` */
export const frameForJudge = (
  wording: (fence: string) => string,
  { prompt, response }: JudgedText,
  maxAnswerChars: number,
): { system: string; user: string } => {
  const fence = `material-${randomBytes(12).toString("hex")}`;
  const material = asData({
    asked: prompt === null ? null : excerptOf(prompt, maxAnswerChars),
    reply: excerptOf(response, maxAnswerChars),
  });
  return { system: wording(fence), user: `${fence}\n${material}\n${fence}` };
};
