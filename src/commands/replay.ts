/** `candor replay FILE`: computes every verdict again from the evidence alone and says whether the log tells the same. */
import { openForReading } from "../evidence/reader.ts";
import { replay as recompute } from "../watch/replay.ts";
import { type Command, onlyPositional, readFlags } from "./command.ts";

const mismatchesShown = 10;

export const replay: Command = {
  name: "replay",
  usage: "replay FILE [--json]",
  summary: "compute the verdicts again from an evidence file and compare them with the recorded ones",
  async run(args, { out }) {
    const { values, positionals } = readFlags(args, { json: { type: "boolean", default: false } });
    const log = openForReading(onlyPositional(positionals, "an evidence file"));
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
      log.close();
    }
  },
};
