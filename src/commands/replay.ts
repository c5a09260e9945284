/** `candor replay FILE|URL`: computes every verdict again from the evidence alone and says whether the log tells the same. */
import { isDatabaseUrl, openLogForReading } from "../evidence/postgres/log-reader.ts";
import { openForReading } from "../evidence/reader.ts";
import { replay as recompute } from "../watch/replay.ts";
import { type Command, onlyPositional, readFlags } from "./command.ts";

const mismatchesShown = 10;

const openLog = async (url: string, name: string) => {
  const log = await openLogForReading(url, name);
  if (log.beginning.position === 0) return log;
  await log.close();
  throw new Error(
    `rows to position ${log.beginning.position} were dropped from the log: verdicts can't be computed from the others alone`,
  );
};

export const replay: Command = {
  name: "replay",
  usage: "replay FILE|URL [--log NAME] [--json]",
  summary: "compute the verdicts again from the evidence and compare them with the recorded ones",
  async run(args, { out }) {
    const { values, positionals } = readFlags(args, {
      json: { type: "boolean", default: false },
      log: { type: "string", default: "candor" },
    });
    const source = onlyPositional(positionals, "an evidence file");
    const log = isDatabaseUrl(source) ? await openLog(source, values.log) : openForReading(source);
    try {
      const { subjects, checked, mismatches } = await recompute(log.entries);
      if (values.json) {
        out(JSON.stringify({ subjects: Object.fromEntries(subjects), checked, mismatches }));
      } else {
        for (const [id, verdict] of subjects) {
          out(
            `${id}: ${verdict.persona}, ${verdict.severity === "none" ? "no alarm" : verdict.severity}, at position ${verdict.position}`,
          );
          for (const reason of verdict.reasons) out(`  ${reason}`);
        }
        out(`${checked} recorded verdicts compared, ${mismatches.length} differ`);
        for (const { position, subject, recorded, computed } of mismatches.slice(0, mismatchesShown)) {
          out(`  position ${position}, ${subject}: recorded ${recorded}, computed ${computed ?? "none"}`);
        }
      }
      return mismatches.length === 0 ? 0 : 1;
    } finally {
      await log.close();
    }
  },
};
