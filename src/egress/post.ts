/**
 * Sends a request of Candor's own the way the relay sends an app's: through the same connections, byte by byte as given,
 * with nothing added. For probes; the answer is collected, because nobody waits for its first words.
 */
import type { Exit } from "./exit.ts";
import type { HeaderAllowlist } from "./header-allowlist.ts";

interface Posting {
  /** Below the base URL; the query with its `?`. */
  path: string;
  search: string;
  /** Names and values in turn. Those that relayed traffic would not carry are left out. */
  headers: readonly string[];
  body: string;
}

interface Posted {
  status: number;
  /** Names in lower case; of one that came twice the last. */
  headers: ReadonlyMap<string, string>;
  body: Buffer;
}

/** Rejects when there is no whole answer: no connection, a break, an abort, or more bytes than are read. */
export type Post = (posting: Posting, signal: AbortSignal) => Promise<Posted>;

/** An answer to a probe is a few kilobytes; streamed token by token it is about a hundred times its text. */
const mostBytes = 8 * 1024 * 1024;

const headersOf = (raw: readonly Buffer[]): Map<string, string> =>
  new Map(
    raw.flatMap((name, place): [string, string][] =>
      place % 2 === 0 ? [[name.toString("latin1").toLowerCase(), raw[place + 1]?.toString("latin1") ?? ""]] : [],
    ),
  );

export const createPost =
  (exit: Exit, mayLeave: HeaderAllowlist): Post =>
  ({ path, search, headers, body }, signal) =>
    new Promise((resolve, reject) => {
      let connection: ((reason?: Error) => void) | null = null;
      let status = 0;
      let answerHeaders = new Map<string, string>();
      const chunks: Buffer[] = [];
      let bytes = 0;

      const giveUp = (error: Error): void => {
        signal.removeEventListener("abort", aborted);
        reject(error);
        connection?.(error);
      };
      const aborted = (): void => giveUp(new Error("aborted"));
      const request = {
        method: "POST",
        path: exit.pathOf(path, search),
        headers: headers.filter((_item, place) => mayLeave(headers[place - (place % 2)] ?? "")),
        body: Buffer.from(body, "utf8"),
      };
      if (signal.aborted) return reject(new Error("aborted"));
      signal.addEventListener("abort", aborted);
      exit.dispatch(request, {
        onConnect(abort) {
          if (signal.aborted) throw new Error("aborted");
          connection = abort;
        },
        onHeaders(code, raw) {
          status = code;
          if (code >= 200) answerHeaders = headersOf(raw);
          return true;
        },
        onData(chunk) {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > mostBytes) giveUp(new Error("the answer is too long"));
          return true;
        },
        onComplete() {
          signal.removeEventListener("abort", aborted);
          resolve({ status, headers: answerHeaders, body: Buffer.concat(chunks) });
        },
        onError: giveUp,
      });
    });
