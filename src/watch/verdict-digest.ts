/** Names a verdict by its content, so that an auditor who replays the log can compare. Nothing is rounded. */
import { createHash } from "node:crypto";
import { canonicalJson } from "../kernel/canonical-json.ts";
import type { Verdict } from "../persona/verdict.ts";

/** SHA-256 of the verdict's canonical JSON, hex. */
export const digestOf = (verdict: Verdict): string => createHash("sha256").update(canonicalJson(verdict)).digest("hex");
