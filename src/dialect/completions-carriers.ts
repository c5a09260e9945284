/** Where text travels in legacy completions and in embeddings: prompts and inputs without roles, and their answers. */
import type { Inspection } from "./carriers.ts";
import { readTokens } from "./content-carriers.ts";
import { type About, createInspecting, type Fields, type Inspecting, isFields, type Path } from "./inspecting.ts";

/** One text or several. Texts given as token numbers can't be read without the model's own vocabulary. */
const readPrompts = (into: Inspecting, prompts: unknown, at: Path): void => {
  if (!Array.isArray(prompts)) {
    into.text("message", prompts, at);
    return;
  }
  for (const [place, prompt] of prompts.entries()) {
    if (typeof prompt === "number" || Array.isArray(prompt)) into.gap("unknown-part");
    else into.text("message", prompt, [...at, place]);
  }
};

export const inspectCompletionsRequest = (body: Fields): Inspection => {
  const into = createInspecting();
  readPrompts(into, body.prompt, ["prompt"]);
  into.text("message", body.suffix, ["suffix"]);
  into.rest(body, [], ["prompt", "suffix", "model"]);
  return into.done();
};

/** A choice of a whole answer, or of one event of a streamed one. */
export const readTextChoice = (into: Inspecting, choice: unknown, place: number): void => {
  const at: Path = ["choices", place];
  if (!isFields(choice)) {
    into.text("message", choice, at, { choice: place });
    return;
  }
  const about: About = { choice: typeof choice.index === "number" ? choice.index : place };
  into.text("message", choice.text, [...at, "text"], about);
  into.text("reasoning", choice.reasoning_content, [...at, "reasoning_content"], about);
  into.text("reasoning", choice.reasoning, [...at, "reasoning"], about);
  if (isFields(choice.logprobs)) {
    readTokens(into, choice.logprobs.tokens, [...at, "logprobs", "tokens"], about);
    readTokens(into, choice.logprobs.content, [...at, "logprobs", "content"], about);
  }
  into.rest(choice, at, ["text", "reasoning_content", "reasoning", "logprobs"], about);
};

export const inspectCompletionsAnswer = (body: Fields): Inspection => {
  const into = createInspecting();
  if (Array.isArray(body.choices)) {
    for (const [place, choice] of body.choices.entries()) readTextChoice(into, choice, place);
  } else into.text("message", body.choices, ["choices"]);
  into.rest(body, [], ["choices", "usage"]);
  return into.done();
};

export const inspectEmbeddingsRequest = (body: Fields): Inspection => {
  const into = createInspecting();
  readPrompts(into, body.input, ["input"]);
  into.rest(body, [], ["input", "model"]);
  return into.done();
};

/** Vectors say nothing that could be read; base64 is how some clients ask for them. */
export const inspectEmbeddingsAnswer = (body: Fields): Inspection => {
  const into = createInspecting();
  into.rest(body, [], ["data", "usage"]);
  return into.done();
};
