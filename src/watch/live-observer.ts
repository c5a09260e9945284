/**
 * Watches the app's own exchanges: samples them, reads copies of them off the hot path, has answers judged and banks
 * conversations for probes. Never delays or fails an exchange: what cannot be watched is counted and let go.
 */

import type { ContextSettings, LiveSettings } from "../config/schema.ts";
import { type Answered, answeredBy } from "../dialect/answered.ts";
import { decodeContent } from "../dialect/content-encoding.ts";
import { answersInText, readAnswer, readRequest } from "../dialect/dialect.ts";
import type { RequestView } from "../dialect/views.ts";
import type { LiveConversation } from "../probe/conversations.ts";
import { type RequestTemplate, requestTemplate } from "../probe/request-template.ts";
import type { ExchangeEnd, ExchangeObserver, ExchangeStart } from "../relay/exchange.ts";
import { type ContextOf, createContexts } from "./contexts.ts";
import { bankable, type ConversationBank } from "./conversation-bank.ts";
import { type CopyLimits, createExchangeCopies, type HeldBytes } from "./exchange-copies.ts";
import { createLiveJudging, type DrawnExchange, type LiveJudgingParts, type Memory } from "./live-judging.ts";
import { type LiveMemory, newLiveMemory } from "./live-memory.ts";
import { createSampler, type Sampler } from "./sampler.ts";
import { createTenants, type TenantClaim } from "./tenants.ts";
import type { SkipReason } from "./watch-meter.ts";

interface LiveObserverLimits extends CopyLimits {
  /** Shortest time between two exchanges of a subject that are banked for probes to fork, in milliseconds. */
  bankEveryMs: number;
  /** Largest request that is banked. */
  bankBytes: number;
  /** For so long, and for so many of a subject, a conversation of which an answer was judged is left alone. */
  judged: Memory;
}

export const defaultLiveObserverLimits: LiveObserverLimits = {
  copyBytes: 1024 * 1024,
  heldBytes: 128 * 1024 * 1024,
  bankEveryMs: 2_000,
  bankBytes: 64 * 1024,
  judged: { conversations: 20_000, ageMs: 24 * 3_600_000 },
};

interface LiveObserverParts extends LiveJudgingParts {
  subjects: readonly {
    id: string;
    live: LiveSettings;
    contexts: ContextSettings;
    bank: ConversationBank;
    /** Left out for a subject that is seen for the first time. */
    memory?: LiveMemory;
  }[];
  /** Bytes that copies hold; left out where no other observer copies. */
  held?: HeldBytes;
  /** A live answer was judged harmful; the conversation ends with it. */
  onFlagged(subject: string, conversation: LiveConversation): void;
  limits: LiveObserverLimits;
}

export interface LiveObserver extends ExchangeObserver {
  /** Resolves once every exchange that has ended is read and judged. For the drain. */
  settled(): Promise<void>;
  /** A new baseline of this subject is learned: its conversations may be judged once more. */
  newEpoch(subject: string): void;
}

interface Watched {
  id: string;
  bank: ConversationBank;
  sampler: Sampler;
  judging: ReturnType<typeof createLiveJudging>;
  contextOf: ContextOf;
  claimOfTenant: TenantClaim;
  /** Monotonic milliseconds. */
  lastBanked: number;
}

/** What was asked and answered, or why that can't be told. */
const readExchange = async (
  start: ExchangeStart,
  end: ExchangeEnd,
  bytes: Buffer,
): Promise<{ request: RequestView; answers: Answered[] } | SkipReason> => {
  const decoded = await decodeContent(bytes, end.contentEncoding);
  if (decoded.kind === "undecodable") return "undecodable";
  const request = readRequest(start.path, start.requestBody);
  const answer = readAnswer(start.path, end.contentType, decoded.bytes);
  if (request === null || answer === null) return "unreadable";
  // What a policy broke off was said as far as it came: a guard must not hide harm from the watch.
  const isWhole = answer.complete || (end.outcome === "blocked" && answer.choices.some(({ text }) => text !== ""));
  return isWhole ? { request, answers: answeredBy(request, answer) } : "incomplete";
};

const templateOf = ({ path, search = "", rawHeaders, requestBody }: ExchangeStart): RequestTemplate | null =>
  rawHeaders === undefined ? null : requestTemplate({ path, search, rawHeaders, body: requestBody });

export const createLiveObserver = (parts: LiveObserverParts): LiveObserver => {
  const { subjects, meter, clock, random, limits } = parts;
  const copies = createExchangeCopies(limits, parts.held);
  const judgements = new Set<Promise<void>>();

  const watched = new Map<string, Watched>(
    subjects.map(({ id, bank, live, contexts, memory = newLiveMemory() }) => {
      const { sampleRate: rate, maxPerHour, maxPerTenantPerHour, tenantHeader: header } = live;
      const sampler = createSampler({ rate, maxPerHour, random, clock, taken: memory.samples });
      const judging = createLiveJudging({ subject: id, sampler, memory: limits.judged, known: memory.judged }, parts);
      const claimOfTenant = createTenants({ maxPerHour: maxPerTenantPerHour, header, clock, seen: memory.tenants });
      const contextOf = createContexts(contexts, memory.contexts);
      return [id, { id, bank, sampler, judging, contextOf, claimOfTenant, lastBanked: Number.NEGATIVE_INFINITY }];
    }),
  );

  /** Banking has a pace of its own: a quiet app's conversations are all kept, a busy app's cost no more than that. */
  const isTimeToBank = (subject: Watched, requestBytes: number): boolean => {
    if (requestBytes > limits.bankBytes) return false;
    const now = clock.monotonic();
    if (now - subject.lastBanked < limits.bankEveryMs) return false;
    subject.lastBanked = now;
    return true;
  };

  const judge = ({ judging }: Watched, drawn: DrawnExchange): void => {
    const work = judging.judge(drawn);
    judgements.add(work);
    void work.finally(() => judgements.delete(work));
  };

  return {
    begin(start) {
      const subject = start.subject === null ? undefined : watched.get(start.subject);
      if (subject === undefined) return null;
      subject.bank.noteTraffic();
      if (!answersInText(start.path)) return null;
      const requestBytes = start.requestBody.length;
      const draw = subject.sampler.draw();
      if (draw === "capped") meter.skipped(subject.id, "capped");
      const toJudge = draw === "sampled";
      const toBank = isTimeToBank(subject, requestBytes);
      if (!toJudge && !toBank) return null;
      const skip = (reason: SkipReason): void => {
        if (toJudge) meter.skipped(subject.id, reason);
      };
      return copies.copy(requestBytes, {
        givenUp: skip,
        async whole(end, bytes) {
          const seen = await readExchange(start, end, bytes).catch((): SkipReason => "failed");
          if (typeof seen === "string") return skip(seen);
          const { request, answers } = seen;
          const headers = start.requestHeaders;
          const context = subject.contextOf({ path: start.path, headers, view: request });
          if (toBank && end.outcome === "complete") {
            const conversation = bankable(request, answers, headers, context, templateOf(start));
            if (conversation !== null) subject.bank.keep(conversation);
          }
          if (!toJudge) return;
          // Not waited for: the bytes must not stay for as long as a judge takes.
          judge(subject, {
            request,
            answers,
            context,
            claimOfTenant: () => subject.claimOfTenant(headers),
            flagged(answer) {
              const conversation = bankable(request, [answer], headers, context, templateOf(start));
              if (conversation !== null) parts.onFlagged(subject.id, conversation);
            },
          });
        },
      });
    },
    newEpoch: (subject) => watched.get(subject)?.judging.forget(),
    async settled() {
      await copies.settled();
      await Promise.all(judgements);
    },
  };
};
