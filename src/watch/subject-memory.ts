/**
 * All that this process remembers of one subject beside the log. Under a changed configuration the subject goes on with it.
 * One that is defined as something else begins anew, within the bounds of the same hours and budgets.
 */
import type { Subject, Upstream } from "../config/schema.ts";
import { canonicalJson } from "../kernel/canonical-json.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import { newProberMemory, type ProberMemory } from "../probe/prober-memory.ts";
import { type ConversationBank, createConversationBank, defaultBankLimits } from "./conversation-bank.ts";
import { type LiveMemory, newLiveMemory } from "./live-memory.ts";

export interface SubjectMemory {
  /** What answers as the subject, and how its traffic is told apart. */
  definition: string;
  classes: string;
  /** Wall clock of the first look at it, milliseconds since 1970. */
  since: number;
  bank: ConversationBank;
  live: LiveMemory;
  probing: ProberMemory;
}

interface Parts {
  subject: Subject;
  upstream: Upstream;
  /** Of the subject of this id under the configuration before; left alone. */
  before: SubjectMemory | undefined;
  clock: Pick<Clock, "now" | "monotonic">;
  random: Random;
}

export const memoryOf = ({ subject, upstream, before, clock, random }: Parts): SubjectMemory => {
  const { models, version, route } = subject;
  const definition = canonicalJson({ models, version, route, baseUrl: upstream.baseUrl });
  const classes = canonicalJson(subject.contexts);
  if (before === undefined || before.definition !== definition) {
    const [live, probing] = [newLiveMemory(), newProberMemory(random)];
    return {
      definition,
      classes,
      since: before?.since ?? clock.now(),
      bank: createConversationBank({ clock, random, limits: defaultBankLimits }),
      live: before === undefined ? live : { ...live, samples: before.live.samples, tenants: before.live.tenants },
      probing: before === undefined ? probing : { ...probing, spent: before.probing.spent },
    };
  }
  if (before.classes === classes) return before;
  return { ...before, classes, live: { ...before.live, contexts: new Set() } };
};
