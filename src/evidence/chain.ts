/**
 * The hash chain: every row's hash covers the row and the hash before it, so that no row can be changed, taken out or
 * put in without all later hashes telling. It covers texts as they are stored, so checking it needs no knowledge of what
 * they mean. Content is covered by its own hash alone and may be erased.
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "../kernel/canonical-json.ts";
import type { EntryBody } from "./entry.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What stands before the first row: a file's chain begins with the name of the replica that began it. */
export const genesis = (replica: string): string => sha256(`candor evidence ${replica}`);

/** The body as it is stored: canonical JSON without what may be erased. */
export const bodyText = (body: EntryBody): string =>
  canonicalJson(body.kind === "observation" && body.content !== null ? { ...body, content: null } : body);

export interface Link {
  position: number;
  replica: string;
  subject: string;
  /** Whole milliseconds. */
  at: number;
  /** The stored text, not parsed. */
  body: string;
}

/** h(i) = SHA-256(h(i-1), line feed, canonical JSON of the row); the body is in it as it stands. */
export const linkHash = (previous: string, { position, replica, subject, at, body }: Link): string =>
  sha256(
    `${previous}\n{"at":${at},"body":${body},"position":${position},"replica":${JSON.stringify(replica)},"subject":${JSON.stringify(subject)}}`,
  );
