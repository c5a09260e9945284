import { describe, expect } from "vitest";
import { verifyLog } from "../../../src/evidence/postgres/log-reader.ts";
import { noPostgres } from "../running-postgres.ts";
import { describeStore } from "../store-suite.ts";
import { newLog, serverOfFile } from "./shared-logs.ts";

describe.skipIf(noPostgres !== null)(`a log in PostgreSQL${noPostgres === null ? "" : `: ${noPostgres}`}`, () => {
  const server = serverOfFile();

  describeStore("the PostgreSQL store", async () => {
    const log = await newLog(server());
    return {
      // Long enough for a look before anything is sent.
      open: () => log.open("one", { sendMs: 500 }),
      async remove() {
        expect(await verifyLog(log.url, "candor")).toMatchObject({ kind: "intact", lost: 0 });
        await log.remove();
      },
    };
  });
});
