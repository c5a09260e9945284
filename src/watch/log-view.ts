/**
 * What an evidence log says so far of every subject in it: the verdict, and what else is remembered of its entries. A
 * function of the entries and their order alone; it never writes.
 */
import type { Entry, Epoch } from "../evidence/entry.ts";
import type { Verdict } from "../persona/verdict.ts";
import { createExperimentSummary, type ExperimentSummary } from "./experiment-summary.ts";
import { createFold } from "./fold.ts";
import { readSavedView, type SavedAccount, type SavedView, savedViewText } from "./saved-view.ts";

/** What is remembered of one subject's entries beside its persona state. */
interface Account extends Omit<SavedAccount, "summary"> {
  summary: ReturnType<typeof createExperimentSummary>;
}

export interface LogView {
  /** Entries must come in the order of their positions. */
  enter(entry: Entry): void;
  /** Null for a subject without an epoch. */
  verdict(subject: string): Verdict | null;
  /** Whether a verdict is to be recorded: persona or severity changed, or `verdictEvery` observations went by. */
  verdictIsDue(subject: string): boolean;
  /** The epoch that the subject is in. */
  epoch(subject: string): Epoch | null;
  /** Whether an operator paused the probes. */
  probesPaused(subject: string): boolean;
  /** Wall clock of the last probe that was answered, milliseconds since 1970; null before the first. */
  lastProbeAt(subject: string): number | null;
  /** Wall clock of the last entry that the verdict rests on, milliseconds since 1970; 0 before the first. */
  verdictAt(subject: string): number;
  experiments(subject: string): ExperimentSummary;
  /** Another that goes on from here, on its own. */
  copy(): LogView;
  /** All that it knows, as text that `createLogView` takes. */
  save(): string;
}

/** Observations between two recorded verdicts when nothing changes. */
const verdictEvery = 200;

const newAccount = (): Account => ({
  epoch: null,
  summary: createExperimentSummary(),
  recorded: null,
  observationsSince: 0,
  probesPaused: false,
  lastProbeAt: null,
  at: 0,
});

const remember = (account: Account, { at, body }: Entry): void => {
  if (body.kind === "verdict") {
    account.recorded = { persona: body.persona, severity: body.severity };
    account.observationsSince = 0;
    return;
  }
  account.at = at;
  account.summary.add(body);
  if (body.kind === "epoch") account.epoch = body;
  if (body.kind === "operation") account.probesPaused = body.act === "pause-probes";
  if (body.kind === "observation") {
    account.observationsSince += 1;
    if (body.arm !== "live") account.lastProbeAt = at;
  }
};

const openView = (saved: SavedView): LogView => {
  const fold = createFold(saved.states);
  const accounts = new Map<string, Account>(
    saved.accounts.map(([subject, { summary, ...account }]) => [
      subject,
      { ...account, summary: createExperimentSummary(summary) },
    ]),
  );
  const save = (): SavedView => ({
    states: fold.save(),
    accounts: [...accounts].map(([subject, { summary, ...account }]) => [
      subject,
      { ...account, summary: summary.save() },
    ]),
  });
  const accountOf = (subject: string): Account => {
    const known = accounts.get(subject);
    if (known !== undefined) return known;
    const added = newAccount();
    accounts.set(subject, added);
    return added;
  };
  return {
    enter(entry) {
      if (entry.body.kind === "decision") return;
      fold.add(entry);
      remember(accountOf(entry.subject), entry);
    },
    verdict: fold.verdict,
    verdictIsDue(subject) {
      const verdict = fold.verdict(subject);
      if (verdict === null) return false;
      const { recorded, observationsSince } = accountOf(subject);
      const changed = recorded?.persona !== verdict.persona || recorded.severity !== verdict.severity;
      return changed || observationsSince >= verdictEvery;
    },
    epoch: (subject) => accountOf(subject).epoch,
    probesPaused: (subject) => accountOf(subject).probesPaused,
    lastProbeAt: (subject) => accountOf(subject).lastProbeAt,
    verdictAt: (subject) => accountOf(subject).at,
    experiments: (subject) => accountOf(subject).summary.read(),
    copy: () => openView(structuredClone(save())),
    save: () => savedViewText(save()),
  };
};

/**
 * @param saved what another has saved; an empty log's without
 * @throws for what is no such text, was cut off or changed, or was saved by a Candor that computes something else
 */
export const createLogView = (saved: string | null = null): LogView =>
  openView(saved === null ? { states: [], accounts: [] } : readSavedView(saved));
