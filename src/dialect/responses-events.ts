/** Events of streamed responses: deltas of many kinds, and the same texts again when a part, an item, the whole is done. */
import type { Carrier, CarrierKind } from "./carriers.ts";
import { readPart, readTokens } from "./content-carriers.ts";
import type { EventReader, EventReading } from "./event-carriers.ts";
import { createInspecting, type Fields, isFields, type Path } from "./inspecting.ts";
import { readItem, readResponse } from "./responses-carriers.ts";

/** Which text of an output item an event's string belongs to. `content` and `summary` are lists of parts. */
interface Text {
  kind: CarrierKind;
  list: "content" | "summary" | null;
  field: string;
}

const texts: ReadonlyMap<string, Text> = new Map([
  ["response.output_text", { kind: "message", list: "content", field: "text" }],
  ["response.refusal", { kind: "refusal", list: "content", field: "refusal" }],
  ["response.reasoning_text", { kind: "reasoning", list: "content", field: "text" }],
  ["response.reasoning_summary_text", { kind: "reasoning", list: "summary", field: "text" }],
  ["response.function_call_arguments", { kind: "tool-arguments", list: null, field: "arguments" }],
  ["response.mcp_call_arguments", { kind: "tool-arguments", list: null, field: "arguments" }],
  ["response.custom_tool_call_input", { kind: "tool-arguments", list: null, field: "input" }],
  ["response.code_interpreter_call_code", { kind: "tool-arguments", list: null, field: "code" }],
]);

const numberIn = (value: unknown): number => (typeof value === "number" ? value : 0);

const placeOf = (event: Fields, { list, field }: Text): string => {
  const item = `output.${numberIn(event.output_index)}`;
  if (list === null) return `${item}.${field}`;
  return `${item}.${list}.${numberIn(list === "summary" ? event.summary_index : event.content_index)}.${field}`;
};

const numbering = ["type", "item_id", "output_index", "content_index", "summary_index", "sequence_number", "response"];

export const createResponsesEvents = (): EventReader => {
  const names = new Map<number, string>();
  const about = { role: "assistant", choice: 0 } as const;

  /** A text that grows, or ends. */
  const readText = (event: Fields, text: Text, ends: boolean): EventReading => {
    const key = placeOf(event, text);
    const into = createInspecting();
    const field = ends ? text.field : "delta";
    const tool = text.kind === "tool-arguments" ? (names.get(numberIn(event.output_index)) ?? null) : null;
    into.text(text.kind, event[field], [field], { ...about, tool });
    readTokens(into, event.logprobs, ["logprobs"], about);
    into.rest(event, [], [...numbering, field, "logprobs"], about);
    const { carriers, gaps } = into.done();
    const found = carriers.map((carrier) => {
      if (carrier.at[0] === field) return { carrier, key, form: ends ? "whole" : "piece" } as const;
      return { carrier, key: `${key}.${carrier.at.join(".")}`, form: ends ? "whole" : "piece" } as const;
    });
    return { found, closes: ends ? [key] : [], gaps };
  };

  const keyBelow = (root: string, skipped: number, { at }: Carrier): string =>
    [root, ...at.slice(skipped)].filter((part) => part !== "").join(".");

  /** What an event gives as a whole: a part, an item or the response. */
  const readWhole = (event: Fields, type: string): EventReading => {
    const into = createInspecting();
    const item = `output.${numberIn(event.output_index)}`;
    let root = "event";
    let holder: Path = [];
    if (isFields(event.response)) {
      [root, holder] = ["", ["response"]];
      readResponse(into, event.response, holder);
    } else if (isFields(event.item)) {
      [root, holder] = [item, ["item"]];
      if (typeof event.item.name === "string") names.set(numberIn(event.output_index), event.item.name);
      readItem(into, event.item, holder, about);
    } else if (isFields(event.part)) {
      const list = event.summary_index === undefined ? "content" : "summary";
      const place = list === "content" ? event.content_index : event.summary_index;
      [root, holder] = [`${item}.${list}.${numberIn(place)}`, ["part"]];
      readPart(
        into,
        list === "summary" || event.part.type === "reasoning_text" ? "reasoning" : "message",
        event.part,
        holder,
        about,
      );
    }
    if (type.includes(".audio.")) into.gap("audio");
    if (type.includes("partial_image")) into.gap("image");
    const read = type.includes(".audio.") || type.includes("partial_image") ? ["delta", "partial_image_b64"] : [];
    into.rest(event, [], [...numbering, "item", "part", ...read], about);
    const { carriers, gaps } = into.done();
    const isKnown = (at: Path): boolean => holder.length > 0 && at[0] === holder[0];
    const found = carriers.map((carrier) =>
      isKnown(carrier.at)
        ? ({ carrier, key: keyBelow(root, 1, carrier), form: "whole" } as const)
        : // Of an event that nobody knows, a delta is still a piece of something.
          ({
            carrier,
            key: `${type}.${item}.${carrier.at.join(".")}`,
            form: type.endsWith(".delta") ? "piece" : "whole",
          } as const),
    );
    return { found, closes: type === "response.output_item.done" ? [`${item}.`] : [], gaps };
  };

  return (event) => {
    const type = typeof event.type === "string" ? event.type : "";
    const [, name = "", step = ""] = /^(.*)\.(delta|done)$/.exec(type) ?? [];
    const text = texts.get(name);
    return text === undefined ? readWhole(event, type) : readText(event, text, step === "done");
  };
};
