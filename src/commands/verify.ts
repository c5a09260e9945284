/** `candor verify FILE|URL`: checks the hash chain of an evidence file or a shared log, also while it is written. */
import { isDatabaseUrl, verifyLog } from "../evidence/postgres/log-reader.ts";
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
  usage: "verify FILE|URL [--log NAME] [--anchor POSITION:HASH]",
  summary: "check that no row of the evidence was changed, removed or put in",
  async run(args, { out }) {
    const { values, positionals } = readFlags(args, {
      anchor: { type: "string" },
      log: { type: "string", default: "candor" },
    });
    const source = onlyPositional(positionals, "an evidence file");
    const anchor = readAnchor(values.anchor);
    const isShared = isDatabaseUrl(source);
    // A URL may hold a password, and is shown nowhere.
    const name = isShared ? `log ${values.log}` : source;
    const result = isShared ? await verifyLog(source, values.log, anchor) : verifyFile(source, anchor);
    if (result.kind === "broken") {
      out(`${name}: broken at position ${result.position}: ${result.problem}`);
      return 1;
    }
    out(`${name}: intact, ${result.rows} rows`);
    if (result.lost > 0)
      out(`  ${result.lost} entries were never written: the disk failed for longer than memory lasted`);
    if (result.rows > 0) out(`  anchor ${result.head.position}:${result.head.hash}`);
    return 0;
  },
};
