/** Pages of the evidence log, newest first: what every list of the control API is made of. */
import type { Entry, EntryBody } from "../evidence/entry.ts";
import type { EntryFilter, EvidenceStore } from "../evidence/store.ts";
import type { Subjects } from "./subjects.ts";

export type EntryOf<K extends EntryBody["kind"]> = Entry & { body: Extract<EntryBody, { kind: K }> };

type Paging = Omit<EntryFilter, "kinds"> & { limit?: number; before?: number };

const defaultLimit = 50;

/** Gives one page of rows of a kind, and where the next one begins. Throws a 404 for a subject that is not there. */
export const pagesOf =
  (store: Pick<EvidenceStore, "latest">, subjects: Subjects) =>
  async <K extends EntryBody["kind"]>(kind: K, { limit = defaultLimit, before, ...filter }: Paging) => {
    if (filter.subject !== undefined) subjects.find(filter.subject, "subject");
    const rows = await store.latest(limit + 1, { ...filter, kinds: [kind] }, before);
    const shown = rows.slice(0, limit);
    const isOfKind = (entry: Entry): entry is EntryOf<K> => entry.body.kind === kind;
    return { rows: shown.filter(isOfKind), next: rows.length > limit ? (shown.at(-1)?.position ?? null) : null };
  };
