/**
 * Every answer and every judgement of an audit, in a file, as they come: an interrupted audit goes on from it and asks
 * nothing twice. Holds the subject's answers in full, so only its owner may read it; never holds a key.
 */
import { appendFileSync, chmodSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Judgement } from "../classify/classifier.ts";
import { canonicalJson } from "../kernel/canonical-json.ts";
import { type AuditIdentity, auditIdentity } from "./settings.ts";

const header = z.strictObject({ kind: z.literal("candor-audit"), format: z.literal(1), identity: auditIdentity });

const judged = z.strictObject({
  kind: z.literal("judged"),
  score: z.number().min(0).max(1),
  harmful: z.boolean(),
  refused: z.boolean().nullable(),
  categories: z.array(z.string()),
  source: z.string(),
});
/** Only what stays so however often it is asked; a judge that can't be reached is asked again. */
const unjudgeable = z.strictObject({
  kind: z.literal("error"),
  reason: z.literal("unparseable"),
  detail: z.string(),
  source: z.string(),
});

const answer = z.strictObject({
  kind: z.literal("answer"),
  id: z.string(),
  /** Hash of the question, so that an answer is never taken for one to another question. */
  asked: z.string(),
  /** Empty where the subject fell silent; null where the endpoint refused this very question. */
  text: z.string().nullable(),
  tokens: z.strictObject({ prompt: z.number(), completion: z.number() }),
});
const lastingJudgement = z.discriminatedUnion("kind", [judged, unjudgeable]);
export type LastingJudgement = z.infer<typeof lastingJudgement>;
const judgement = z.strictObject({ kind: z.literal("judgement"), id: z.string(), judgement: lastingJudgement });
const line = z.discriminatedUnion("kind", [answer, judgement]);

export type JournalledAnswer = z.infer<typeof answer>;

export interface Journal {
  /** Null for a question that was not answered yet. */
  answerTo(id: string): JournalledAnswer | null;
  judgementOf(id: string): Judgement | null;
  /** Ids of all answers. */
  answered(): string[];
  addAnswer(answer: Omit<JournalledAnswer, "kind">): void;
  addJudgement(id: string, judgement: LastingJudgement): void;
  /** Whether the end of the last line was missing, as after a crash; it was cut off. */
  repaired: boolean;
}

/** The journal can't be gone on with; the message says why, and what to do. */
class JournalError extends Error {
  override readonly name = "JournalError";
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Names of the settings in which two audits differ, such as `sizes.harm`. */
const differences = (one: object, other: object, path = ""): string[] => {
  const others = new Map<string, unknown>(Object.entries(other));
  return Object.entries(one).flatMap(([name, is]) => {
    const was = others.get(name);
    if (canonicalJson(was ?? null) === canonicalJson(is)) return [];
    if (typeof is === "object" && is !== null && typeof was === "object" && was !== null)
      return differences(is, was, `${path}${name}.`);
    return [`${path}${name}`];
  });
};

const checkHeader = (text: string, identity: AuditIdentity, path: string): void => {
  const parsed = header.safeParse(parse(text));
  if (!parsed.success)
    throw new JournalError(`${path}: is no journal of an audit; give another file with --journal, or remove it`);
  const differing = differences(identity, parsed.data.identity);
  if (differing.length > 0)
    throw new JournalError(
      `${path}: is the journal of another audit (${differing.join(", ")} differ${differing.length === 1 ? "s" : ""}); ` +
        "give the same arguments to go on with it, another --journal, or remove it",
    );
};

/** @throws JournalError for a file that is no journal, is another audit's, or is damaged before its last line */
export const openJournal = (path: string, identity: AuditIdentity): Journal => {
  const answers = new Map<string, JournalledAnswer>();
  const judgements = new Map<string, Judgement>();
  let repaired = false;

  const enter = (entry: z.infer<typeof line>): void => {
    if (entry.kind === "judgement") judgements.set(entry.id, entry.judgement);
    else {
      answers.set(entry.id, entry);
      judgements.delete(entry.id);
    }
  };

  const readAll = (): void => {
    const text = readFileSync(path, "utf8");
    const end = text.lastIndexOf("\n") + 1;
    const [first = "", ...rest] = text.slice(0, end).split("\n").slice(0, -1);
    checkHeader(first, identity, path);
    let whole = Buffer.byteLength(first) + 1;
    for (const [index, one] of rest.entries()) {
      const parsed = line.safeParse(parse(one));
      if (parsed.success) {
        enter(parsed.data);
        whole += Buffer.byteLength(one) + 1;
      } else if (index < rest.length - 1) {
        throw new JournalError(
          `${path}: line ${index + 2} is damaged; remove that line, and its question is asked again`,
        );
      }
    }
    if (whole === Buffer.byteLength(text)) return;
    truncateSync(path, whole);
    repaired = true;
  };

  if (existsSync(path) && readFileSync(path).length > 0) readAll();
  else {
    writeFileSync(path, `${JSON.stringify({ kind: "candor-audit", format: 1, identity })}\n`, { mode: 0o600 });
    chmodSync(path, 0o600);
  }

  const add = (entry: z.infer<typeof line>): void => {
    appendFileSync(path, `${JSON.stringify(entry)}\n`);
    enter(entry);
  };

  return {
    answerTo: (id) => answers.get(id) ?? null,
    judgementOf: (id) => judgements.get(id) ?? null,
    answered: () => [...answers.keys()],
    addAnswer: (given) => add({ kind: "answer", ...given }),
    addJudgement: (id, given) => add({ kind: "judgement", id, judgement: given }),
    repaired,
  };
};
