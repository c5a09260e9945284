/**
 * Content as these APIs share it: a string, or parts of which some can be read, some are of another medium, and some
 * nobody knows. A part that is not read is named as a gap, and the strings in it are read all the same.
 */
import type { CarrierKind, Gap } from "./carriers.ts";
import { type About, type Fields, type Inspecting, isFields, type Path } from "./inspecting.ts";

/** Which field of a part, by the part's type, holds text, and what that text is. */
const textParts: ReadonlyMap<string, { field: string; kind: CarrierKind | null }> = new Map([
  ["text", { field: "text", kind: null }],
  ["input_text", { field: "text", kind: null }],
  ["output_text", { field: "text", kind: null }],
  ["summary_text", { field: "text", kind: null }],
  ["reasoning_text", { field: "text", kind: "reasoning" }],
  ["refusal", { field: "refusal", kind: "refusal" }],
  ["thinking", { field: "thinking", kind: "reasoning" }],
]);

const mediaParts: ReadonlyMap<string, Gap> = new Map([
  ["image_url", "image"],
  ["input_image", "image"],
  ["image", "image"],
  ["computer_screenshot", "image"],
  ["input_audio", "audio"],
  ["audio", "audio"],
  ["audio_url", "audio"],
  ["output_audio", "audio"],
  ["video_url", "image"],
  ["file", "file"],
  ["input_file", "file"],
  ["container_upload", "file"],
  ["redacted_thinking", "encrypted-reasoning"],
]);

/** Of media, the data itself is no text and is not read; titles, transcripts and file names beside it are. */
const mediaData = [
  ...["type", "image_url", "input_audio", "audio_url", "video_url", "data", "file_data", "file_id", "file_url"],
  ...["signature", "cache_control", "detail", "file", "source"],
];

export const typeOf = (fields: Fields): string => (typeof fields.type === "string" ? fields.type : "");

export const readPart = (into: Inspecting, kind: CarrierKind, part: unknown, at: Path, about: About): void => {
  if (typeof part === "string") {
    into.text(kind, part, at, about);
    return;
  }
  if (!isFields(part)) {
    into.text(kind, part, at, about);
    return;
  }
  // Some servers take a part without a type for text.
  const type = typeof part.type === "string" ? part.type : typeof part.text === "string" ? "text" : "";
  const text = textParts.get(type);
  const gap = mediaParts.get(type);
  if (text !== undefined) {
    into.text(text.kind ?? kind, part[text.field], [...at, text.field], about);
    into.rest(part, at, [text.field, "type", "cache_control", "logprobs", "signature"], about);
    if (part.logprobs !== undefined) readTokens(into, part.logprobs, [...at, "logprobs"], about);
  } else if (gap !== undefined) {
    into.gap(gap);
    into.rest(part, at, mediaData, about);
    if (isFields(part.file)) into.rest(part.file, [...at, "file"], mediaData, about);
  } else {
    into.gap("unknown-part");
    into.words(kind, part, at, about);
  }
};

/** A string, an array of parts, or nothing. */
export const readContent = (into: Inspecting, kind: CarrierKind, content: unknown, at: Path, about: About): void => {
  if (Array.isArray(content)) {
    for (const [place, part] of content.entries()) readPart(into, kind, part, [...at, place], about);
  } else into.text(kind, content, at, about);
};

/** A list of `{token}` objects, or of strings: together they repeat the text. */
const tokensIn = (list: unknown): string =>
  Array.isArray(list)
    ? list
        .map((item) =>
          typeof item === "string" ? item : isFields(item) && typeof item.token === "string" ? item.token : "",
        )
        .join("")
    : "";

export const readTokens = (into: Inspecting, list: unknown, at: Path, about: About): void => {
  into.text("logprobs", tokensIn(list), at, about);
};
