import { describe } from "vitest";
import { noPostgres } from "../running-postgres.ts";
import { describeStore } from "../store-suite.ts";
import { newLog, serverOfFile } from "./shared-logs.ts";

describe.skipIf(noPostgres !== null)(`a log in PostgreSQL${noPostgres === null ? "" : `: ${noPostgres}`}`, () => {
  const server = serverOfFile();

  describeStore("the PostgreSQL store", async () => {
    const log = await newLog(server());
    // Long enough for a look before anything is sent.
    return { open: () => log.open("one", { sendMs: 500 }), remove: log.remove };
  });
});
