/**
 * A PostgreSQL server of a test's own, on 127.0.0.1 and a free port, with its data in the system's folder for temporary
 * files. Start one per test file and give every test a database of its own.
 */
import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Client } from "pg";

export interface RunningPostgres {
  port: number;
  /** An empty database; the URL is that of the server's own superuser and asks for no TLS. */
  newDatabase(): Promise<string>;
  /** Runs statements as the superuser, in the database of this URL. */
  execute(url: string, sql: string): Promise<Record<string, unknown>[]>;
  /** `immediate` is like a crash. Databases are kept for `start`. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
  /** With further settings of the server, such as `ssl=on`; on the same port. Does nothing while it runs. */
  start(settings?: readonly string[]): Promise<void>;
  /** The folder of the server's data, for certificates and pg_hba.conf. */
  folder: string;
  remove(): Promise<void>;
}

/** Where Debian keeps the programs, newest first: `initdb` and `pg_ctl` are not on its PATH. */
const debianFolders = [18, 17, 16, 15, 14, 13].map((version) => `/usr/lib/postgresql/${version}/bin`);

const folderOfPrograms = (): string | null =>
  [...(process.env.PATH ?? "").split(delimiter), ...debianFolders].find((folder) =>
    ["postgres", "initdb", "pg_ctl"].every((program) => existsSync(join(folder, program))),
  ) ?? null;

const idOf = (flag: "-u" | "-g", user: string): number =>
  Number(execFileSync("id", [flag, user], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));

interface User {
  uid?: number;
  gid?: number;
}

/** PostgreSQL refuses to be run by root. Throws when there is nobody else. */
const userOfServer = (): User => {
  if (process.getuid?.() !== 0) return {};
  try {
    return { uid: idOf("-u", "postgres"), gid: idOf("-g", "postgres") };
  } catch {
    return { uid: idOf("-u", "nobody"), gid: idOf("-g", "nobody") };
  }
};

/** Why no server can be started here, in words for the output of a test that is skipped; null where one can. */
export const noPostgres: string | null =
  folderOfPrograms() === null ? "PostgreSQL is not installed (Debian: apt-get install postgresql)" : null;

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
};

const run = (command: string, args: readonly string[], user: User): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...user, cwd: "/", stdio: ["ignore", "ignore", "pipe"] });
    let told = "";
    child.stderr.on("data", (bytes: Buffer) => {
      told += bytes.toString();
    });
    child.on("error", reject);
    // Not "close": the server goes on with the same standard error.
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}: ${told}`))));
  });

const execute = async (url: string, sql: string): Promise<Record<string, unknown>[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const results = await client.query(sql);
    return results.rows;
  } finally {
    await client.end();
  }
};

/** Nothing here is forced to the disk, so that tests are fast. @throws when no server can be had; see `noPostgres` */
export const startPostgres = async (): Promise<RunningPostgres> => {
  const programs = folderOfPrograms();
  if (programs === null) throw new Error(noPostgres ?? "");
  const user = userOfServer();
  const above = mkdtempSync(join(tmpdir(), "candor-postgres-"));
  const folder = join(above, "data");
  mkdirSync(folder, { mode: 0o700 });
  for (const path of [above, folder]) if (user.uid !== undefined) chownSync(path, user.uid, user.gid ?? user.uid);
  const initialise = ["-D", folder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  await run(join(programs, "initdb"), initialise, user);
  const port = await freePort();
  let databases = 0;
  let running = false;
  /** A test that fails badly leaves no server behind. */
  let endWithTests = (): void => {};
  const onExit = (): void => endWithTests();
  process.once("exit", onExit);

  const urlOf = (database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}?sslmode=disable`;

  const start = async (settings: readonly string[] = []): Promise<void> => {
    if (running) return;
    const all = [
      ...["listen_addresses=127.0.0.1", `port=${port}`, "unix_socket_directories=", "fsync=off"],
      ...["full_page_writes=off", "max_connections=100", ...settings],
    ];
    const options = all.map((setting) => `-c ${setting}`).join(" ");
    const log = join(above, "server.log");
    try {
      await run(join(programs, "pg_ctl"), ["start", "-w", "-D", folder, "-l", log, "-o", options], user);
    } catch (error) {
      throw new Error(existsSync(log) ? readFileSync(log, "utf8").slice(-2_000) : String(error));
    }
    running = true;
    const pid = Number(readFileSync(join(folder, "postmaster.pid"), "utf8").split("\n")[0]);
    endWithTests = () => process.kill(pid, "SIGQUIT");
  };

  const stop = async (mode: "fast" | "immediate" = "fast"): Promise<void> => {
    if (!running) return;
    running = false;
    endWithTests = () => {};
    await run(join(programs, "pg_ctl"), ["stop", "-w", "-D", folder, "-m", mode], user);
  };

  await start();
  return {
    port,
    folder,
    async newDatabase() {
      databases += 1;
      await execute(urlOf("postgres"), `CREATE DATABASE test_${databases}`);
      return urlOf(`test_${databases}`);
    },
    execute,
    stop,
    start,
    async remove() {
      await stop("immediate");
      process.off("exit", onExit);
      rmSync(above, { recursive: true, force: true });
    },
  };
};
