import { afterAll, beforeAll, describe, expect } from "vitest";
import { verifyLog } from "../../../src/evidence/postgres/log-reader.ts";
import { noPostgres } from "../running-postgres.ts";
import { describeStore } from "../store-suite.ts";
import { newLog, serverOfFile, type TestLog } from "./shared-logs.ts";

describe.skipIf(noPostgres !== null)(`a log in PostgreSQL${noPostgres === null ? "" : `: ${noPostgres}`}`, () => {
  const server = serverOfFile();

  let log: TestLog;
  let logs = 0;
  beforeAll(async () => {
    log = await newLog(server());
  });
  afterAll(() => log.remove());

  describeStore("the PostgreSQL store", () => {
    logs += 1;
    const name = `log_${logs}`;
    return {
      // Long enough for a look before anything is sent.
      open: () => log.open(name, { name, sendMs: 500 }),
      async remove() {
        expect(await verifyLog(log.url, name)).toMatchObject({ kind: "intact", lost: 0 });
      },
    };
  });
});
