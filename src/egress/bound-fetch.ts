/** `fetch` for the `openai` package that can reach one origin only. For probes and judges, never for the hot path. */
import { type Dispatcher, Headers, type Pool, fetch as undiciFetch } from "undici";
import type { HeaderAllowlist } from "./header-allowlist.ts";

const language = "accept-language";

interface Options {
  origin: string;
  pool: Pool;
  settings: { headersTimeoutMs: number; idleTimeoutMs: number };
  mayLeave: HeaderAllowlist;
}

/** What `fetch` adds of its own accord (sec-fetch-mode and the like) would tell a probe from the app's own calls. */
const withoutStrangers = (
  headers: Dispatcher.DispatchOptions["headers"],
  mayLeave: (name: string) => boolean,
): Record<string, string | string[]> => {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    // The length frames the body that fetch itself sends.
    if (mayLeave(name) || name.toLowerCase() === "content-length") kept[name] = value;
  }
  return kept;
};

export const createBoundFetch = ({ origin, pool, settings, mayLeave }: Options): typeof fetch => {
  const boundTo = (passes: (name: string) => boolean): Dispatcher =>
    pool.compose((dispatch) => (options, handler) => {
      if (String(options.origin) !== origin) throw new Error("refused to connect to an origin that is not configured");
      return dispatch(
        {
          ...options,
          headers: withoutStrangers(options.headers, passes),
          headersTimeout: settings.headersTimeoutMs,
          bodyTimeout: settings.idleTimeoutMs,
        },
        handler,
      );
    });
  const bound = boundTo(mayLeave);
  // fetch adds a language of its own where none was given, and its name alone can't tell the two apart.
  const withoutLanguage = boundTo((name) => name.toLowerCase() !== language && mayLeave(name));
  const fetchBound: typeof undiciFetch = (input, init) => {
    const dispatcher = new Headers(init?.headers).has(language) ? bound : withoutLanguage;
    return undiciFetch(input, { ...init, dispatcher, redirect: "error" });
  };
  // The same standard from two sets of declarations: Node's own and the undici package's.
  return fetchBound as unknown as typeof fetch;
};
