/** The program's own log: structured, on standard error, without content, headers or keys. */
import { type Logger, pino } from "pino";

export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** `redact` is a second line of defence: nothing of these names should reach the log in the first place. */
export const createLog = (level: string): Log & { level: string } =>
  pino(
    {
      level,
      base: null,
      redact: ["*.authorization", "*.key", "*.apiKey", "*.headers", "headers", "authorization", "key", "apiKey"],
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.destination({ dest: 2, sync: true }),
  );
