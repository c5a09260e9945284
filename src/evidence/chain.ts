/**
 * The hash chain: every row's hash covers the row and the hash before it, so that no row can be changed, taken out or
 * put in without all later hashes telling. Content is covered by its own hash alone and may be erased.
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "../kernel/canonical-json.ts";
import type { Entry, EntryBody } from "./entry.ts";

/** What stands before the first row of a replica's log. */
export const genesis = (replica: string): string =>
  createHash("sha256").update(`candor evidence ${replica}`).digest("hex");

/** The body without what may be erased. */
export const lasting = (body: EntryBody): EntryBody =>
  body.kind === "observation" && body.content !== null ? { ...body, content: null } : body;

/** h(i) = SHA-256(h(i-1), line feed, canonical row). */
export const linkHash = (previous: string, { position, replica, subject, at, body }: Entry): string =>
  createHash("sha256")
    .update(`${previous}\n${canonicalJson({ position, replica, subject, at, body: lasting(body) })}`)
    .digest("hex");
