/** Sets each choice of an answer beside the prompt that it answers, free of the prompt's echo. */
import type { AnswerView, RequestView } from "./views.ts";

export interface Answered {
  /** The last user turn, or for completions the choice's own prompt; null when there is none. */
  prompt: string | null;
  text: string;
  refusal: string | null;
}

export const answeredBy = (request: RequestView, answer: AnswerView): Answered[] =>
  answer.choices.map(({ text, refusal }, place) => {
    if (request.prompts === undefined) {
      return { prompt: request.turns.findLast((turn) => turn.role === "user")?.text ?? null, text, refusal };
    }
    const prompt = request.turns[Math.floor(place / request.prompts.choicesEach)]?.text ?? null;
    const echoed = request.prompts.echo && prompt !== null && text.startsWith(prompt);
    return { prompt, text: echoed ? text.slice(prompt.length) : text, refusal };
  });
