/**
 * Knows whether a stream of server-sent events stands between two events, from its last four bytes. Only there can an
 * error event be added: elsewhere it would become part of the event that was broken off.
 */

/** Where a stream begins: nothing is open. */
export const streamStart = 0x0a0a0a0a;

/** The last four bytes, as one number, after `chunk` has passed. */
export const tailAfter = (tail: number, chunk: Buffer): number => {
  let next = tail;
  for (let i = Math.max(0, chunk.length - 4); i < chunk.length; i += 1) next = ((next << 8) | (chunk[i] ?? 0)) >>> 0;
  return next;
};

/** True after an empty line; lines end in LF, CR or CRLF. */
export const isBetweenEvents = (tail: number): boolean =>
  (tail & 0xffff) === 0x0a0a || (tail & 0xffff) === 0x0d0d || tail === 0x0d0a0d0a;
