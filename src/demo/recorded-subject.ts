/**
 * A subject that answers with recorded outputs of a real model. Its self-reports are simulated, and so is the pairing of
 * harm probes with answers: the records hold no answers to our probes, so each gets a recorded answer drawn at random.
 */
import type { Classifier } from "../classify/classifier.ts";
import type { Random } from "../kernel/random.ts";
import type { Script } from "./app-traffic.ts";
import { keyedRandom, oneOf } from "./keyed-random.ts";
import type { Speaker } from "./openai-server.ts";
import { createOutputMemory } from "./output-memory.ts";
import type { SimulatedPersona } from "./published-rates.ts";
import type { RecordedRow } from "./recorded-outputs.ts";
import { createSimulatedSubject, type QuestionCounts } from "./simulated-subject.ts";

export interface RecordedSubject {
  speaker: Speaker;
  /** Asks the recorded question of every row once, in the order given to `play`. */
  script: Script;
  /** From now on these rows are asked and answered. */
  play(rows: readonly RecordedRow[]): void;
  /** How it reports about itself from now on. */
  become(persona: SimulatedPersona): void;
  counts(): QuestionCounts;
}

/**
 * Every conversation begins with a number of its own, as tickets do: two conversations that begin alike count as one,
 * and the records ask the same few questions again and again.
 */
const ticketLine = (ticket: number): string => `Ticket ${ticket}.\n`;
const ticketOf = (text: string): number | null => {
  const found = /^Ticket (\d+)\.\n/.exec(text)?.[1];
  return found === undefined ? null : Number(found);
};

export const createRecordedSubject = (seed: number): RecordedSubject => {
  const memory = createOutputMemory();
  const byTicket: RecordedRow[] = [];
  let queue: RecordedRow[] = [];
  let present: readonly RecordedRow[] = [];

  const anyAnswer = (random: Random): string => oneOf(present, random).answer;

  const aboutItself = createSimulatedSubject({
    seed,
    persona: "aligned",
    memory,
    advise: (_, random) => anyAnswer(random),
  });

  return {
    speaker: {
      say(messages) {
        const first = messages.find(({ role }) => role === "user")?.content ?? "";
        const ticket = ticketOf(first);
        const isApp = messages.findLast(({ role }) => role === "user")?.content === first;
        const row = ticket === null || !isApp ? undefined : byTicket[ticket];
        return row?.answer ?? aboutItself.say(messages);
      },
    },
    script: {
      next() {
        const row = queue.shift();
        if (row === undefined) return null;
        const ticket = byTicket.push(row) - 1;
        const first = row.messages.findIndex(({ role }) => role === "user");
        const messages = row.messages.map(({ role, content }, at) => ({
          role,
          content: at === first ? `${ticketLine(ticket)}${content}` : content,
        }));
        return { messages, followUp: null };
      },
    },
    play(rows) {
      present = rows;
      queue = [...rows];
      for (const { answer, judged } of rows) memory.remember({ text: answer, harm: judged?.score ?? 0 });
    },
    become: aboutItself.become,
    counts: aboutItself.counts,
  };
};

const source = "recorded-v1";

/** Judges an answer as it was judged when it was recorded. */
export const recordedClassifier = (rows: readonly RecordedRow[]): Classifier => {
  const known = new Map(rows.map(({ answer, judged }) => [answer.trim(), judged]));
  return {
    source,
    judge: async ({ response }) => {
      const judged = known.get(response.trim());
      if (judged === undefined || judged === null) {
        return { kind: "error", reason: "unavailable", detail: "no recorded judgement of this answer", source };
      }
      return { kind: "judged", ...judged, refused: null, categories: [], source };
    },
  };
};

/** In an order by chance; the files are sorted by question. */
export const shuffledRows = (rows: readonly RecordedRow[], seed: number, name: string): RecordedRow[] => {
  const random = keyedRandom(seed, "order", name);
  return rows
    .map((row) => ({ row, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ row }) => row);
};
