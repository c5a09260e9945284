/**
 * What went wrong with the database, in words that may be logged: never its address, never a password, never a row. The
 * client's own errors hold some of these, so none is passed on.
 */
import { DatabaseError } from "pg";
import { UnreachableLogError } from "../store.ts";

/** The database answered, and will not do it as things stand: trying again later is of use only if something changes. */
export class DatabaseRefusal extends Error {
  override readonly name = "DatabaseRefusal";
  /** PostgreSQL's code for the reason, five characters. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** By codes of the system and of TLS, which are part of Node's interface. */
const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens at the database's address",
  ENOTFOUND: "the name of the database's host is not known",
  EAI_AGAIN: "the name of the database's host could not be looked up",
  ECONNRESET: "the connection to the database was cut",
  EPIPE: "the connection to the database was cut",
  ETIMEDOUT: "the database did not answer in time",
  EHOSTUNREACH: "there is no way to the database's host",
  ENETUNREACH: "there is no way to the database's host",
  ERR_TLS_CERT_ALTNAME_INVALID: "the database's certificate is for another host name",
  CERT_HAS_EXPIRED: "the database's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the database's certificate is signed by itself: name its authority with sslrootcert",
  SELF_SIGNED_CERT_IN_CHAIN: "the authority of the database's certificate is not known: name it with sslrootcert",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the authority of the database's certificate is not known: name it with sslrootcert",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "the authority of the database's certificate is not known: name it with sslrootcert",
  "28P01": "the database refuses the password",
  "28000": "the database refuses the user, or a connection of this kind (TLS is asked for with sslmode)",
  "3D000": "the server has no database of this name",
  "57014": "the database took too long and was told to stop",
  "55P03": "a lock in the database was not free in time",
  "25006": "the database is read-only: it is a standby, or was made so",
};

/** By the first two characters: the server can't be had, or has not the means, whatever was asked. */
const unreachableClasses: readonly string[] = ["08", "28", "3D", "53", "57", "58", "40"];

/** What the client library says itself has no code. */
const byText: readonly [RegExp, string][] = [
  [/does not support SSL/i, "the database has no TLS: set sslmode=disable in its URL if the way there can be trusted"],
  [/timeout|timed out/i, "the database did not answer in time"],
  [/password must be a string|no password/i, "the database asks for a password, and its URL has none"],
  [/terminated|closed|not queryable|socket|ended/i, "the connection to the database was cut"],
];

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

const without = (secrets: readonly string[], text: string): string =>
  secrets.reduce((rest, secret) => rest.replaceAll(secret, "[...]"), text);

/** The error to throw instead of one of the client library: an `UnreachableLogError` or a `DatabaseRefusal`. */
export const explained = (error: unknown, secrets: readonly string[]): Error => {
  if (error instanceof UnreachableLogError || error instanceof DatabaseRefusal) return error;
  const code = codeOf(error);
  const known = unreachable[code];
  if (known !== undefined) return new UnreachableLogError(known);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof DatabaseError) {
    const told = `the database says: ${without(secrets, message)} (${code})`;
    return unreachableClasses.includes(code.slice(0, 2))
      ? new UnreachableLogError(told)
      : new DatabaseRefusal(code, told);
  }
  const said = byText.find(([pattern]) => pattern.test(message))?.[1];
  return new UnreachableLogError(said ?? `the database can't be reached: ${without(secrets, message)}`);
};
