/**
 * Reads the URL of the database into how to connect to it. The URL holds a password: no error here repeats any part of
 * it but the name of a parameter, and nothing is guessed that would send the password in the clear.
 */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";

export interface DatabaseAddress {
  host: string;
  port: number;
  user: string;
  /** Undefined where the server asks for none, or for a certificate instead. */
  password: string | undefined;
  database: string;
  ssl: false | ConnectionOptions;
  /** What must not get into a message. */
  secrets: readonly string[];
}

const modes = ["disable", "require", "verify-ca", "verify-full"] as const;
type Mode = (typeof modes)[number];
const parameters = ["sslmode", "sslrootcert", "sslcert", "sslkey"] as const;

const refused = (detail: string): Error => new Error(`the URL of the evidence database: ${detail}`);

const parse = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["postgres:", "postgresql:"].includes(url.protocol)) {
    throw refused("give postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded");
  }
  return url;
};

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127\./.test(host);

const modeOf = (given: string | null, host: string): Mode => {
  // As safe as can be unless told otherwise; on the machine itself there is no network to hide from.
  if (given === null) return isLoopback(host) ? "disable" : "verify-full";
  const mode = modes.find((known) => known === given);
  if (mode === undefined) throw refused(`its sslmode is none of ${modes.join(", ")}`);
  return mode;
};

const fileOf = (url: URL, parameter: (typeof parameters)[number]): string | undefined => {
  const path = url.searchParams.get(parameter);
  if (path === null) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw refused(`the file of its ${parameter} can't be read: check the path and permissions`);
  }
};

const tlsOf = (url: URL, host: string): false | ConnectionOptions => {
  const mode = modeOf(url.searchParams.get("sslmode"), host);
  if (mode === "disable") return false;
  const [ca, cert, key] = [fileOf(url, "sslrootcert"), fileOf(url, "sslcert"), fileOf(url, "sslkey")];
  if ((cert === undefined) !== (key === undefined)) throw refused("sslcert and sslkey go together");
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    // As libpq has it: who gives the authority's certificate wants it to be checked.
    rejectUnauthorized: mode !== "require" || ca !== undefined,
    ...(mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
  };
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused("write a % as %25");
  }
};

/**
 * Without `sslmode` the server's certificate and name are checked (`verify-full`), but on the machine itself there is no
 * TLS. @throws an error without any part of the URL
 */
export const parseDatabaseUrl = (text: string): DatabaseAddress => {
  const url = parse(text);
  const host = decoded(url.hostname).replace(/^\[(.*)\]$/, "$1");
  const user = decoded(url.username);
  const password = decoded(url.password);
  const database = decoded(url.pathname.slice(1));
  for (const [what, value] of Object.entries({ host, user, database })) {
    if (value === "") throw refused(`it names no ${what}: give postgres://USER:PASSWORD@HOST:PORT/DATABASE`);
  }
  for (const name of url.searchParams.keys()) {
    if (!parameters.some((known) => known === name)) {
      throw refused(`its parameters may be ${parameters.join(", ")}; one is another`);
    }
  }
  return {
    host,
    port: url.port === "" ? 5432 : Number(url.port),
    user,
    password: password === "" ? undefined : password,
    database,
    ssl: tlsOf(url, host),
    secrets: [text, url.password, password, host].filter((secret) => secret !== ""),
  };
};
