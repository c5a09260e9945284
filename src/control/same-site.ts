/**
 * Keeps web pages of others out. A page that rebinds its DNS name to this address still sends its own name as Host; a
 * page that posts across origins sends its Origin. Neither may pass, whether or not a token comes with it.
 */
import { isIP } from "node:net";
import type { RequestHandler } from "express";
import { ApiError } from "./api-error.ts";

const hostnameOf = (host: string): string | null => {
  // A user part, path or query would make URL read another host than the header shows.
  if (!/^[A-Za-z0-9._:[\]-]+$/.test(host)) return null;
  const url = URL.parse(`http://${host}`);
  return url === null ? null : url.hostname.replace(/^\[|\]$/g, "");
};

/** `names`: host names, besides IP addresses and localhost, under which this port may be called now. */
export const onlySameSite = (names: () => readonly string[]): RequestHandler => {
  const isAllowed = (host: string): boolean =>
    host === "localhost" || names().some((name) => name.toLowerCase() === host);
  return (request, _response, next) => {
    const { host = "", origin } = request.headers;
    const name = hostnameOf(host);
    if (name === null || !(isIP(name) !== 0 || isAllowed(name))) {
      throw new ApiError(
        "host_not_allowed",
        "call this port by IP address or as localhost, or add the name to the configured host names",
        "host",
      );
    }
    if (origin !== undefined && URL.parse(origin)?.host !== URL.parse(`http://${host}`)?.host) {
      throw new ApiError("origin_not_allowed", "requests from pages of other origins are refused", "origin");
    }
    next();
  };
};
