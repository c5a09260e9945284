/** Reads a site's labelled answers: JSON lines, gzipped or not, one answer a line. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import type { LabelledRow } from "./labelled-row.ts";

const row = z.object({
  response: z.string(),
  harmful: z.boolean(),
  /** What the answer was given to; judges and guard models read it, the screen does not. */
  prompt: z.string().nullish(),
  /** Answers of one group are kept together; by default those to one prompt. */
  group: z.string().min(1).optional(),
  /** The answer was given to one of the fixed questions of the probe set. */
  harmProbe: z.boolean().default(false),
});

export interface SiteRow extends LabelledRow {
  prompt: string | null;
  harmProbe: boolean;
}

/** The file can't be used; the message names file, line, field and what to do. */
export class LabelledFileError extends Error {
  override readonly name = "LabelledFileError";
}

const format =
  'write one JSON object a line, such as {"prompt": "How ...?", "response": "You ...", "harmful": false}; see docs/calibration.md';

const gzipMagic = [0x1f, 0x8b] as const;

const read = async (path: string): Promise<{ text: string; sha256: string }> => {
  try {
    const bytes = await readFile(path);
    const zipped = bytes[0] === gzipMagic[0] && bytes[1] === gzipMagic[1];
    return {
      text: (zipped ? gunzipSync(bytes) : bytes).toString("utf8"),
      sha256: createHash("sha256").update(bytes).digest("hex"),
    };
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new LabelledFileError(`${path}: cannot be read (${reason}); give a file of labelled answers`, {
      cause: error,
    });
  }
};

const parseLine = (line: string, where: string): SiteRow => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new LabelledFileError(`${where}: is not JSON; ${format}`, { cause: error });
  }
  const parsed = row.safeParse(value);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the line"}: ${message}`);
    throw new LabelledFileError(`${where}: ${issues.join("; ")}; ${format}`);
  }
  const { prompt = null, group, ...rest } = parsed.data;
  return { ...rest, prompt, group: group ?? prompt ?? where };
};

export interface LabelledFile {
  rows: SiteRow[];
  /** Of the file as it is, zipped or not. */
  sha256: string;
}

/** @throws LabelledFileError for the first line that can't be used, and for a file without any */
export const readLabelledFile = async (path: string): Promise<LabelledFile> => {
  const { text, sha256 } = await read(path);
  const rows = text
    .split("\n")
    .flatMap((line, at) => (line.trim() === "" ? [] : parseLine(line, `${path}, line ${at + 1}`)));
  if (rows.length === 0) throw new LabelledFileError(`${path}: has no rows; ${format}`);
  return { rows, sha256 };
};
