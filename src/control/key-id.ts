/** How a key is named in the audit trail: recognisable by whoever knows the key and the pepper, useless to all others. */
import { createHmac } from "node:crypto";

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** RFC 4648 base32 in lower case, without padding; only the first `length` characters. */
const base32 = (bytes: Buffer, length: number): string => {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return Array.from({ length }, (_, at) => alphabet[Number.parseInt(bits.slice(at * 5, at * 5 + 5), 2)]).join("");
};

/** HMAC-SHA256. Digests are of one length whatever the keys are, so comparing them tells nothing about a key. */
export const digestKey = (pepper: string, key: string): Buffer => createHmac("sha256", pepper).update(key).digest();

/** The first 12 characters (60 bits) of the digest in base32. */
export const keyId = (digest: Buffer): string => base32(digest, 12);
