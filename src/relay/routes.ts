/**
 * The route table: which paths are relayed, and how. Everything else is answered here and never reaches an upstream.
 * A path is relayed unread only when the configuration declares it, and never because it resembles a read one.
 */
import { readTarget } from "./canonical-path.ts";

/** The values of the `route` label, besides `other`. */
export const routeNames = [
  "chat",
  "completions",
  "responses",
  "messages",
  "embeddings",
  "models",
  "pass-through",
] as const;
type RouteName = (typeof routeNames)[number];

export interface Route {
  name: RouteName;
  /** The subjects' path prefix in front of `/v1`; empty when there is none. */
  prefix: string;
  /** Below the base URL, as dialects know it. */
  path: string;
  search: string;
  /** Whether the body is a JSON document whose model decides the subject. */
  read: boolean;
}

type Routing =
  | { kind: "found"; route: Route }
  | { kind: "unreadable" }
  | { kind: "unknown" }
  | { kind: "wrong-method"; route: RouteName; allow: string };

interface FixedPath {
  name: RouteName;
  methods: readonly string[];
  read: boolean;
}

const fixedPaths: ReadonlyMap<string, FixedPath> = new Map([
  ["/chat/completions", { name: "chat", methods: ["POST"], read: true }],
  ["/completions", { name: "completions", methods: ["POST"], read: true }],
  ["/responses", { name: "responses", methods: ["POST"], read: true }],
  ["/messages", { name: "messages", methods: ["POST"], read: true }],
  ["/embeddings", { name: "embeddings", methods: ["POST"], read: true }],
  ["/models", { name: "models", methods: ["GET", "HEAD"], read: false }],
]);
const oneModel: FixedPath = { name: "models", methods: ["GET", "HEAD"], read: false };

/** Names of models may hold an encoded slash (`org%2Fname`); no other path may. */
const modelPath = /^\/models\/[^/]+$/;
const encodedSlash = /%2f/i;

const fixedAt = (path: string): FixedPath | undefined => {
  const fixed = fixedPaths.get(path);
  return fixed === undefined && modelPath.test(path) ? oneModel : fixed;
};

/** Whether a server that is lax about case would take `path` for one that the relay reads. */
const resemblesFixed = (path: string): boolean => fixedPaths.has(path.toLowerCase());

const matches = (pattern: string, path: string): boolean =>
  pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;

export interface RouteTable {
  find(method: string, url: string): Routing;
}

/** `prefixes` are those of the subjects, `passThrough` the declared paths below the base URL. */
export const createRouteTable = (prefixes: readonly string[], passThrough: readonly string[]): RouteTable => {
  const bases = ["", ...prefixes].map((prefix) => ({ prefix, start: `${prefix}/v1/` }));

  const split = (path: string): { prefix: string; below: string } | null => {
    const base = bases.find(({ start }) => path.startsWith(start));
    return base === undefined ? null : { prefix: base.prefix, below: path.slice(base.start.length - 1) };
  };

  const search = (method: string, url: string): Routing => {
    const target = readTarget(url);
    if (target === null) return { kind: "unreadable" };
    const place = split(target.path);
    if (place === null) return { kind: "unknown" };
    const { prefix, below } = place;
    const route = (name: RouteName, read: boolean): Routing => ({
      kind: "found",
      route: { name, prefix, path: below, search: target.search, read },
    });
    const fixed = fixedAt(below);
    if (fixed?.methods.includes(method)) return route(fixed.name, fixed.read);
    if (encodedSlash.test(below)) return { kind: "unreadable" };
    const declared = passThrough.some((pattern) => matches(pattern, below));
    if (declared && (fixed !== undefined || !resemblesFixed(below))) return route("pass-through", false);
    return fixed === undefined
      ? { kind: "unknown" }
      : { kind: "wrong-method", route: fixed.name, allow: fixed.methods.join(", ") };
  };

  // Nearly every request is one of these, letter by letter; they skip the reading.
  const common = new Map(
    bases.flatMap(({ prefix }) =>
      [...fixedPaths].map(
        ([
          path,
          {
            methods: [method = ""],
          },
        ]) => {
          const url = `${prefix}/v1${path}`;
          return [url, { method, routing: search(method, url) }] as const;
        },
      ),
    ),
  );
  return {
    find(method, url) {
      const known = common.get(url);
      return known?.method === method ? known.routing : search(method, url);
    },
  };
};
