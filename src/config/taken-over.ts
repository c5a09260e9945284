/**
 * What of a changed configuration can be in force without a restart: all but what is opened once and kept for good. The
 * rest of the fields stay as they were, and are named.
 */
import { changedFields } from "./changed-fields.ts";
import type { Config } from "./schema.ts";

/** Addresses and the log are opened once; telemetry must tell of the process from its start to its end. */
const fixedIn = ({ listen, evidence, control, limits, telemetry }: Config) => ({
  listen,
  evidence: {
    path: evidence.path,
    postgres: evidence.postgres,
    replica: evidence.replica,
    maxPendingRows: evidence.maxPendingRows,
  },
  control: { pepper: control.pepper },
  limits: { headerBytes: limits.headerBytes },
  telemetry,
});

interface TakenOver {
  config: Config;
  /** Changed fields that are read at the start alone. */
  needRestart: string[];
}

/** @param first the configuration of the start */
export const takenOver = (first: Config, next: Config): TakenOver => {
  const { listen, evidence, control, limits, telemetry } = fixedIn(first);
  return {
    config: {
      ...next,
      listen,
      telemetry,
      evidence: { ...next.evidence, ...evidence },
      control: { ...next.control, ...control },
      limits: { ...next.limits, ...limits },
    },
    needRestart: changedFields(fixedIn(first), fixedIn(next)),
  };
};
