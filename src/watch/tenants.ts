/**
 * Keeps one tenant from being all that is judged: whoever tries to break the model all day is an event of the traffic, not
 * a drift of the model. Tenants are known by a keyed hash that nobody can look up.
 */
import { hash, randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { LRUCache } from "lru-cache";
import type { Clock } from "../kernel/clock.ts";
import { createSlidingHour } from "./sampler.ts";

interface Options {
  /** Most answers of one tenant that are judged in any hour; undefined: as many as of the subject. */
  maxPerHour: number | undefined;
  /** Header that names the tenant; undefined: the caller's key. */
  header: string | undefined;
  clock: Pick<Clock, "monotonic">;
}

const keyHeaders = ["authorization", "api-key", "x-api-key"] as const;
/** Beyond that the tenants seen longest ago begin anew. */
const mostTenants = 10_000;

/** Takes a place of the tenant's hour; false when none is left. */
export type TenantClaim = (headers: IncomingHttpHeaders) => boolean;

export const createTenants = ({ maxPerHour, header, clock }: Options): TenantClaim => {
  if (maxPerHour === undefined) return () => true;
  const pepper = randomBytes(32).toString("hex");
  const hours = new LRUCache<string, ReturnType<typeof createSlidingHour>>({ max: mostTenants });
  const names = header === undefined ? keyHeaders : [header.toLowerCase()];
  return (headers) => {
    const given = names.map((name) => headers[name]).find((value) => value !== undefined);
    const tenant = hash("sha256", pepper + JSON.stringify(given ?? null));
    const used = hours.get(tenant) ?? createSlidingHour(maxPerHour, clock);
    hours.set(tenant, used);
    return used.take();
  };
};
