/**
 * What may get into the log: nothing that could not be read back. One such row, and no later start could fold the log,
 * so a mistake in the program must show when it is made.
 */
import { entryBody, type NewEntry, type Observation } from "./entry.ts";
import { inOneLine } from "./rows.ts";

/** Half a character, as a cut text may end in, has no UTF-8: replaced here, so that memory and disk hold the same. */
const withWholeCharacters = (row: Observation): Observation =>
  row.content === null ? row : { ...row, content: row.content.toWellFormed() };

/** The entry as it will be read back. @throws TypeError, naming the field */
export const accepted = ({ subject, at, body }: NewEntry): NewEntry => {
  const refused = (detail: string): TypeError => new TypeError(`this is no entry of the evidence log: ${detail}`);
  const { success, data, error } = entryBody.safeParse(body);
  if (!success) throw refused(inOneLine(error));
  if (!Number.isSafeInteger(Math.round(at))) throw refused(`at: expected milliseconds, received ${at}`);
  return { subject, at: Math.round(at), body: data.kind === "observation" ? withWholeCharacters(data) : data };
};
