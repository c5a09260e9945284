/**
 * Keeps one tenant from being all that is judged: whoever tries to break the model all day is an event of the traffic, not
 * a drift of the model. Tenants are known by a keyed hash that nobody can look up.
 */
import { hash, randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { LRUCache } from "lru-cache";
import type { Clock } from "../kernel/clock.ts";
import { createSlidingHour, type TakenByMinute } from "./sampler.ts";

/** What each tenant had, under a key that only this process knows. */
export interface TenantsSeen {
  pepper: string;
  hours: LRUCache<string, TakenByMinute>;
}

interface Options {
  /** Most answers of one tenant that are judged in any hour; undefined: as many as of the subject. */
  maxPerHour: number | undefined;
  /** Header that names the tenant; undefined: the caller's key. */
  header: string | undefined;
  clock: Pick<Clock, "monotonic">;
  /** Left out by who begins anew. */
  seen?: TenantsSeen;
}

const keyHeaders = ["authorization", "api-key", "x-api-key"] as const;
/** Beyond that the tenants seen longest ago begin anew. */
const mostTenants = 10_000;

export const noTenantsSeen = (): TenantsSeen => ({
  pepper: randomBytes(32).toString("hex"),
  hours: new LRUCache({ max: mostTenants }),
});

/** Takes a place of the tenant's hour; false when none is left. */
export type TenantClaim = (headers: IncomingHttpHeaders) => boolean;

export const createTenants = ({ maxPerHour, header, clock, seen = noTenantsSeen() }: Options): TenantClaim => {
  if (maxPerHour === undefined) return () => true;
  const { pepper, hours } = seen;
  const names = header === undefined ? keyHeaders : [header.toLowerCase()];
  return (headers) => {
    const given = names.map((name) => headers[name]).find((value) => value !== undefined);
    const tenant = hash("sha256", pepper + JSON.stringify(given ?? null));
    const taken: TakenByMinute = hours.get(tenant) ?? new Map();
    hours.set(tenant, taken);
    return createSlidingHour(maxPerHour, clock, taken).take();
  };
};
