/**
 * What the watching of one subject's traffic remembers, apart from what it does with it: who watches the subject under
 * another configuration goes on with it, so that the bounds of an hour hold and no conversation is judged twice. In memory only.
 */
import { type JudgedConversations, noJudgedConversations } from "./live-judging.ts";
import { noSamplesTaken, type SamplesTaken } from "./sampler.ts";
import { noTenantsSeen, type TenantsSeen } from "./tenants.ts";

export interface LiveMemory {
  samples: SamplesTaken;
  tenants: TenantsSeen;
  judged: JudgedConversations;
  /** Names of classes of traffic that were derived from it. */
  contexts: Set<string>;
}

export const newLiveMemory = (): LiveMemory => ({
  samples: noSamplesTaken(),
  tenants: noTenantsSeen(),
  judged: noJudgedConversations(),
  contexts: new Set(),
});
