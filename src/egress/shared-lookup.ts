/**
 * Looks a name up once for all who ask for it at the same time. The system's resolver works on four threads of this
 * process, which files are read on as well: a resolver that is slow must not have a thread for each request. Nothing is
 * remembered once it is answered; that is the resolver's business.
 */
import { lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";

type Answer = Parameters<LookupFunction>[2];

export const createSharedLookup = (lookup: LookupFunction = systemLookup): LookupFunction => {
  const underWay = new Map<string, Answer[]>();
  return (hostname, options, answer) => {
    const question = JSON.stringify([hostname, options.family, options.hints, options.all, options.order]);
    const others = underWay.get(question);
    if (others !== undefined) {
      others.push(answer);
      return;
    }
    const asking = [answer];
    underWay.set(question, asking);
    lookup(hostname, options, (...result) => {
      underWay.delete(question);
      for (const one of asking) one(...result);
    });
  };
};
