/**
 * Decides by name which headers may cross the relay. What is not listed does not pass: an allowlist can forget something
 * useful, never let something harmful through. Headers that frame a message or belong to one connection never pass,
 * whatever an operator adds.
 */

/** Of one hop (RFC 9110, 7.6.1), or recomputed for each: passing them on would let a client shape our own messages. */
const ofOneHop = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Headers of this program's own; from elsewhere they would only pretend. */
const own = "x-candor-";

const mostRemembered = 512;
const longestRemembered = 64;

export type HeaderAllowlist = (name: string) => boolean;

/** `listed` are names or, where they end in `*`, beginnings of names; case does not matter. */
export const createHeaderAllowlist = (listed: readonly string[]): HeaderAllowlist => {
  const lower = listed.map((name) => name.toLowerCase());
  const names = new Set(lower.filter((name) => !name.endsWith("*")));
  const prefixes = lower.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
  const passes = (name: string): boolean =>
    !ofOneHop.has(name) && !name.startsWith(own) && (names.has(name) || prefixes.some((p) => name.startsWith(p)));
  // Clients send the same few names again and again. Bounded, because nobody says that they must.
  const decided = new Map<string, boolean>();
  return (name) => {
    const known = decided.get(name);
    if (known !== undefined) return known;
    const verdict = passes(name.toLowerCase());
    if (decided.size < mostRemembered && name.length <= longestRemembered) decided.set(name, verdict);
    return verdict;
  };
};
