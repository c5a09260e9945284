import { expect, test } from "vitest";
import { parseDatabaseUrl } from "../../../src/evidence/postgres/database-url.ts";

test("a URL says host, port, user, password and database, decoded", () => {
  expect(parseDatabaseUrl("postgres://bot:p%40ss%2Fword@db.example:6432/logs?sslmode=disable")).toEqual({
    host: "db.example",
    port: 6432,
    user: "bot",
    password: "p@ss/word",
    database: "logs",
    ssl: false,
    secrets: [
      "postgres://bot:p%40ss%2Fword@db.example:6432/logs?sslmode=disable",
      "p%40ss%2Fword",
      "p@ss/word",
      "db.example",
    ],
  });
});

test("port and password may be left out", () => {
  expect(parseDatabaseUrl("postgresql://bot@localhost/logs")).toMatchObject({ port: 5432, password: undefined });
});

test.each([
  ["disable", "db.example", false],
  ["require", "db.example", { rejectUnauthorized: false, checkServerIdentity: expect.any(Function) }],
  ["verify-ca", "db.example", { rejectUnauthorized: true, checkServerIdentity: expect.any(Function) }],
  ["verify-full", "db.example", { rejectUnauthorized: true }],
  [null, "db.example", { rejectUnauthorized: true }],
  [null, "10.0.0.1", { rejectUnauthorized: true }],
  [null, "localhost", false],
  [null, "127.0.0.1", false],
  [null, "[::1]", false],
])("sslmode %s to %s means %j", (mode, host, ssl) => {
  const query = mode === null ? "" : `?sslmode=${mode}`;
  expect(parseDatabaseUrl(`postgres://bot@${host}/logs${query}`).ssl).toEqual(ssl);
});

const canary = "c4nary";
test.each([
  ["no URL", `${canary}`, /give postgres:\/\/USER/],
  ["another protocol", `mysql://bot:${canary}@db/logs`, /give postgres:\/\/USER/],
  ["no user", "postgres://db/logs", /names no user/],
  ["no database", `postgres://bot:${canary}@db`, /names no database/],
  ["a broken escape", `postgres://bot:${canary}%@db/logs`, /write a % as %25/],
  ["a parameter that is not known", `postgres://bot:${canary}@db/logs?${canary}=1`, /parameters may be sslmode/],
  ["a mode that may fall back to no TLS", `postgres://bot:${canary}@db/logs?sslmode=prefer`, /sslmode is none of/],
  ["half a client certificate", `postgres://bot:${canary}@db/logs?sslcert=/dev/null`, /sslcert and sslkey/],
  ["a file that is not there", `postgres://bot:${canary}@db/logs?sslrootcert=/${canary}`, /sslrootcert can't be read/],
])("%s is refused without a word of the URL", (_, url, message) => {
  const attempt = () => parseDatabaseUrl(url);
  expect(attempt).toThrow(message);
  expect(attempt).not.toThrow(canary);
});
