/** Events of streamed chat completions and completions: choices side by side, tool calls put together by their index. */
import type { Carrier } from "./carriers.ts";
import { readChoice } from "./chat-carriers.ts";
import { readTextChoice } from "./completions-carriers.ts";
import type { EventReader } from "./event-carriers.ts";
import { createInspecting, type Fields, type Inspecting, isFields } from "./inspecting.ts";

const callsOf = (choice: unknown): unknown[] => {
  const said = isFields(choice) ? (choice.delta ?? choice.message) : undefined;
  return isFields(said) && Array.isArray(said.tool_calls) ? said.tool_calls : [];
};

/** Which call of its choice a piece belongs to. Some upstreams leave the index out: then an id opens a new call. */
const createCallIndex = () => {
  const last = new Map<number, number>();
  const names = new Map<string, string>();
  return {
    of(choice: number, call: unknown): number {
      if (!isFields(call)) return 0;
      const before = last.get(choice);
      const next = call.id === undefined || call.id === null || call.id === "" ? (before ?? 0) : (before ?? -1) + 1;
      const index = typeof call.index === "number" ? call.index : next;
      last.set(choice, index);
      for (const form of [call.function, call.custom]) {
        if (isFields(form) && typeof form.name === "string") names.set(`${choice}.${index}`, form.name);
      }
      return index;
    },
    nameOf: (choice: number, index: number): string | null => names.get(`${choice}.${index}`) ?? null,
  };
};

const createChoiceEvents = (read: (into: Inspecting, choice: unknown, place: number) => void): EventReader => {
  const calls = createCallIndex();

  return (body: Fields) => {
    const choices = Array.isArray(body.choices) ? body.choices : [];
    const callIndexes = choices.map((choice, place): number[] => {
      const index = isFields(choice) && typeof choice.index === "number" ? choice.index : place;
      return callsOf(choice).map((call) => calls.of(index, call));
    });
    const closes = choices.flatMap((choice, place): string[] => {
      if (!isFields(choice) || typeof choice.finish_reason !== "string") return [];
      return [`${typeof choice.index === "number" ? choice.index : place}.`];
    });

    const into = createInspecting();
    for (const [place, choice] of choices.entries()) read(into, choice, place);
    into.rest(body, [], ["choices", "usage", "error"]);
    const { carriers, gaps } = into.done();

    const place = (carrier: Carrier) => {
      const { at, choice } = carrier;
      const [first, position, form, ...below] = at;
      if (first !== "choices" || choice === null)
        return { carrier, key: `body.${at.join(".")}`, form: "whole" } as const;
      const isPiece = form !== "message";
      if (below[0] !== "tool_calls" || typeof below[1] !== "number") {
        const name = form === "delta" || form === "message" ? below.join(".") : [form, ...below].join(".");
        return { carrier, key: `${choice}.${name}`, form: isPiece ? "piece" : "whole" } as const;
      }
      const index = callIndexes[Number(position)]?.[below[1]] ?? below[1];
      const tool = carrier.tool ?? calls.nameOf(choice, index);
      const key = `${choice}.tool_calls.${index}.${below.slice(2).join(".")}`;
      return { carrier: { ...carrier, tool }, key, form: isPiece ? "piece" : "whole" } as const;
    };
    return { found: carriers.map(place), closes, gaps };
  };
};

export const createChatEvents = (): EventReader => createChoiceEvents(readChoice);
export const createCompletionsEvents = (): EventReader => createChoiceEvents(readTextChoice);
