/** `fetch` for the `openai` package that can reach one origin only. For probes and judges, never for the hot path. */
import { type Dispatcher, type Pool, fetch as undiciFetch } from "undici";
import type { HeaderAllowlist } from "./header-allowlist.ts";

interface Options {
  origin: string;
  pool: Pool;
  settings: { headersTimeoutMs: number; idleTimeoutMs: number };
  mayLeave: HeaderAllowlist;
}

/** What `fetch` adds of its own accord (sec-fetch-mode and the like) would tell a probe from the app's own calls. */
const withoutStrangers = (
  headers: Dispatcher.DispatchOptions["headers"],
  mayLeave: HeaderAllowlist,
): Record<string, string | string[]> => {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    // The length frames the body that fetch itself sends.
    if (mayLeave(name) || name.toLowerCase() === "content-length") kept[name] = value;
  }
  return kept;
};

export const createBoundFetch = ({ origin, pool, settings, mayLeave }: Options): typeof fetch => {
  const bound = pool.compose((dispatch) => (options, handler) => {
    if (String(options.origin) !== origin) throw new Error("refused to connect to an origin that is not configured");
    return dispatch(
      {
        ...options,
        headers: withoutStrangers(options.headers, mayLeave),
        headersTimeout: settings.headersTimeoutMs,
        bodyTimeout: settings.idleTimeoutMs,
      },
      handler,
    );
  });
  const fetchBound: typeof undiciFetch = (input, init) =>
    undiciFetch(input, { ...init, dispatcher: bound, redirect: "error" });
  // The same standard from two sets of declarations: Node's own and the undici package's.
  return fetchBound as unknown as typeof fetch;
};
