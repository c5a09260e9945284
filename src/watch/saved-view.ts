/**
 * What a log says at one position, as text and back. Whoever starts from it trusts it as it trusts the log. So it comes
 * with its own hash and with the digest of every verdict: what was damaged, or saved by a Candor that computes something
 * else, is no saved view here, and the log itself is read instead.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { epoch } from "../evidence/entry.ts";
import { assess, createState, defaultSettings, type PersonaState } from "../persona/persona.ts";
import { savedSummary } from "./experiment-summary.ts";
import { fromPlainText, plainText } from "./plain-text.ts";
import { digestOf } from "./verdict-digest.ts";

/** The names of its fields, as a state of this version has them. */
const isState = (value: unknown): value is PersonaState => {
  if (typeof value !== "object" || value === null) return false;
  const names = (state: object): string => Object.keys(state).sort().join();
  return names(value) === names(createState(defaultSettings));
};

const account = z.strictObject({
  epoch: epoch.nullable(),
  summary: savedSummary,
  /** The verdict recorded last. */
  recorded: z.strictObject({ persona: z.string(), severity: z.string() }).nullable(),
  observationsSince: z.number().int().min(0),
  probesPaused: z.boolean(),
  lastProbeAt: z.number().nullable(),
  /** Wall clock of the last entry that is not a recorded verdict. */
  at: z.number(),
});
export type SavedAccount = z.infer<typeof account>;

const savedView = z.strictObject({
  states: z.array(z.tuple([z.string(), z.custom<PersonaState>(isState, "is no state of this version")])),
  accounts: z.array(z.tuple([z.string(), account])),
});
export type SavedView = z.infer<typeof savedView>;

const checkedView = savedView.extend({ digests: z.array(z.tuple([z.string(), z.string()])) });

const digestsOf = ({ states }: SavedView): [subject: string, digest: string][] =>
  states.map(([subject, state]) => [subject, digestOf(assess(state))]);

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The hash on a line of its own, and the view. */
export const savedViewText = (view: SavedView): string => {
  const text = plainText({ ...view, digests: digestsOf(view) });
  return `${hashOf(text)}\n${text}`;
};

/** @throws for what is no view that this version saved */
export const readSavedView = (text: string): SavedView => {
  const [hash = "", saved = ""] = text.split("\n");
  if (hashOf(saved) !== hash) throw new Error("a saved view is damaged");
  const { digests, ...view } = checkedView.parse(fromPlainText(saved));
  if (plainText(digestsOf(view)) !== plainText(digests)) {
    throw new Error("a saved view does not give the verdicts that it was saved with");
  }
  return view;
};
