/** Puts pieces of a stream together. Those that were cut out of one piece of memory, side by side, are not copied for it. */

const nothing = Buffer.alloc(0);

const isBehind = (part: Buffer, before: Buffer): boolean =>
  part.buffer === before.buffer && part.byteOffset === before.byteOffset + before.length;

/** The pieces one behind the other; to be read and not to be written to. */
export const joined = (parts: readonly Buffer[]): Buffer => {
  let last = parts[0] ?? nothing;
  const { buffer, byteOffset } = last;
  if (parts.length < 2) return last;
  for (let place = 1; place < parts.length; place += 1) {
    const part = parts[place] ?? nothing;
    if (!isBehind(part, last)) return Buffer.concat(parts);
    last = part;
  }
  return Buffer.from(buffer, byteOffset, last.byteOffset + last.length - byteOffset);
};
