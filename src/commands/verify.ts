/** `candor verify FILE`: checks the hash chain of an evidence file, also while a process writes it. */
import { type Anchor, verifyFile } from "../evidence/verify.ts";
import { type Command, onlyPositional, readFlags, UsageError } from "./command.ts";

/** `POSITION:HASH`, as an earlier verification printed it. */
const readAnchor = (text: string | undefined): Anchor | null => {
  if (text === undefined) return null;
  const match = /^(\d+):([0-9a-f]{64})$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new UsageError(`--anchor is "${text}": give POSITION:HASH with 64 hexadecimal digits`);
  }
  return { position: Number(match[1]), hash: match[2] };
};

export const verify: Command = {
  name: "verify",
  usage: "verify FILE [--anchor POSITION:HASH]",
  summary: "check that no row of the evidence was changed, removed or put in",
  async run(args, { out }) {
    const { values, positionals } = readFlags(args, { anchor: { type: "string" } });
    const file = onlyPositional(positionals, "an evidence file");
    const result = verifyFile(file, readAnchor(values.anchor));
    if (result.kind === "broken") {
      out(`${file}: broken at position ${result.position}: ${result.problem}`);
      return 1;
    }
    out(`${file}: intact, ${result.rows} rows`);
    if (result.lost > 0)
      out(`  ${result.lost} entries were never written: the disk failed for longer than memory lasted`);
    if (result.rows > 0) out(`  anchor ${result.head.position}:${result.head.hash}`);
    return 0;
  },
};
