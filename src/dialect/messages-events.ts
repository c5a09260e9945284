/** Events of streamed messages: content blocks that open, grow and stop, one after the other. */
import type { CarrierKind } from "./carriers.ts";
import type { EventReader } from "./event-carriers.ts";
import { createInspecting, isFields, type Path } from "./inspecting.ts";
import { readAnswerBlock } from "./messages-carriers.ts";

/** Which field of its block a delta continues, and in which field of its own. */
const deltas: ReadonlyMap<unknown, { kind: CarrierKind; from: string; to: string }> = new Map([
  ["text_delta", { kind: "message", from: "text", to: "text" }],
  ["thinking_delta", { kind: "reasoning", from: "thinking", to: "thinking" }],
  ["input_json_delta", { kind: "tool-arguments", from: "partial_json", to: "input" }],
]);

const about = { role: "assistant", choice: 0 } as const;

export const createMessagesEvents = (): EventReader => {
  const names = new Map<number, string>();

  return (event) => {
    const into = createInspecting();
    const index = typeof event.index === "number" ? event.index : 0;
    const block = `content.${index}`;
    let known: { at: Path; key: string } | null = null;
    const { message, content_block: opened, delta } = event;
    if (isFields(message)) {
      if (Array.isArray(message.content)) {
        for (const [place, one] of message.content.entries()) readAnswerBlock(into, one, ["message", "content", place]);
      }
      into.rest(message, ["message"], ["content", "usage"], about);
    }
    if (isFields(opened)) {
      if (typeof opened.name === "string") names.set(index, opened.name);
      // An empty input only announces the pieces that follow.
      const announces = isFields(opened.input) && Object.keys(opened.input).length === 0;
      readAnswerBlock(into, announces ? { ...opened, input: null } : opened, ["content_block"]);
    }
    if (isFields(delta)) {
      const grows = deltas.get(delta.type);
      if (grows !== undefined) {
        const tool = grows.kind === "tool-arguments" ? (names.get(index) ?? null) : null;
        into.text(grows.kind, delta[grows.from], ["delta", grows.from], { ...about, tool });
        known = { at: ["delta", grows.from], key: `${block}.${grows.to}` };
      }
      into.rest(delta, ["delta"], [grows?.from ?? "", "signature"], about);
    }
    into.rest(event, [], ["message", "content_block", "delta", "usage", "error"], about);
    const { carriers, gaps } = into.done();
    const found = carriers.map((carrier) => {
      const [first, ...below] = carrier.at;
      if (known !== null && carrier.at.length === 2 && carrier.at[1] === known.at[1] && first === "delta") {
        return { carrier, key: known.key, form: "piece" } as const;
      }
      if (first === "delta") return { carrier, key: `${block}.delta.${below.join(".")}`, form: "piece" } as const;
      // A block may open with its first words; what follows continues them.
      if (first === "content_block") return { carrier, key: `${block}.${below.join(".")}`, form: "piece" } as const;
      return { carrier, key: first === "message" ? below.join(".") : carrier.at.join("."), form: "whole" } as const;
    });
    return { found, closes: event.type === "content_block_stop" ? [`${block}.`] : [], gaps };
  };
};
