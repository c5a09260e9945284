/** Where a request goes and whose it is: from the path's prefix and the model in the body to an upstream and a subject. */
import type { Subject, Upstream } from "../config/schema.ts";
import type { Egress, Exit } from "../egress/egress.ts";
import { createBreaker } from "../kernel/breaker.ts";
import { canonicalJson } from "../kernel/canonical-json.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Route } from "./routes.ts";

/** One upstream as the relay sees it. */
export interface Line {
  upstream: Upstream;
  exit: Exit;
  /** The path to ask for there; null when it would lead out of the base URL. */
  pathOf(route: Route): string | null;
  /** Replaces the caller's own key; null passes that one through. */
  key: string | null;
  /** Logs the first of several failures in a row. `cause` is an error's code, never its text: that holds addresses. */
  failed(code: string, cause: string): void;
  /** Logs the end of a row of failures. */
  answered(): void;
  /**
   * How soon a request may be sent there: 0 for at once, else the milliseconds that it is left alone for, as it could not
   * be connected to. After 0, exactly one of `reached`, `unreached` and `leftOff` must follow.
   */
  restMs(): number;
  reached(): void;
  unreached(): void;
  /** It was given up before it was known. */
  leftOff(): void;
  /** Exchanges under way, those that wait for a connection included. */
  running: number;
}

export interface Destination {
  line: Line;
  subject: string | null;
}

export interface Destinations {
  /** The subjects' path prefixes. */
  prefixes: readonly string[];
  /** By id of the upstream. */
  lines: ReadonlyMap<string, Line>;
  /** Null for a model that is not relayed. */
  forModel(route: Route, model: string | null): Destination | null;
  /** Where another subject's requests go, and under which model name; null when there is no such subject. */
  forSubject(id: string | null): { destination: Destination; model: string } | null;
  /** For requests that name no model. */
  forRoute(route: Route): Destination;
}

interface Options {
  upstreams: readonly Upstream[];
  subjects: readonly Subject[];
  unmatched: "relay" | "deny";
  egress: Egress;
  keys: ReadonlyMap<string, string>;
  /** Lines there are: one that would be the same goes on, with what is known of its upstream and what runs on it. */
  before?: ReadonlyMap<string, Line> | undefined;
  /** Called when a line turns out to be one that can't be connected to, and is left alone for so long. */
  leftAlone(line: Line, restMs: number): void;
  clock: Pick<Clock, "monotonic">;
  log: Log;
}

const openLine = (
  upstream: Upstream,
  exit: Exit,
  key: string | null,
  { leftAlone, log, clock }: Pick<Options, "leftAlone" | "log" | "clock">,
): Line => {
  let failing = false;
  const { failures, restMs } = upstream.breaker;
  const breaker = failures === 0 ? null : createBreaker({ failures, share: 1, window: 0, restMs, clock });
  /** Since a connection failed: until then there is nothing to tell the breaker. */
  let troubled = false;
  // The common routes are the same objects every time; the others are forgotten with their request.
  const paths = new WeakMap<Route, string>();
  const line: Line = {
    upstream,
    exit,
    key,
    running: 0,
    failed(code, cause) {
      if (failing) return;
      failing = true;
      log.warn({ upstream: upstream.id, code, cause }, "the upstream fails; further failures are not logged");
    },
    answered() {
      if (!failing) return;
      failing = false;
      log.info({ upstream: upstream.id }, "the upstream answers again");
    },
    restMs() {
      if (breaker === null || !troubled || breaker.admit() !== "refuse") return 0;
      return Math.max(1, breaker.restLeft());
    },
    reached() {
      if (breaker === null || !troubled) return;
      breaker.report(true);
      troubled = breaker.state() !== "closed";
      if (!troubled) log.info({ upstream: upstream.id }, "the upstream can be reached again");
    },
    unreached() {
      if (breaker === null) return;
      troubled = true;
      const before = breaker.state();
      breaker.report(false);
      if (before === "closed" && breaker.state() === "open") {
        log.warn({ upstream: upstream.id, restMs }, "the upstream can't be reached; requests are refused for now");
        leftAlone(line, restMs);
      }
    },
    leftOff: () => breaker?.abandon(),
    pathOf(route) {
      const known = paths.get(route);
      if (known !== undefined) return known;
      try {
        const path = exit.pathOf(route.path, route.search);
        paths.set(route, path);
        return path;
      } catch {
        return null;
      }
    },
  };
  return line;
};

export const createDestinations = (options: Options): Destinations => {
  const { upstreams, subjects, unmatched, egress, keys, before } = options;
  const lineTo = (upstream: Upstream): Line => {
    const exit = egress.exit(upstream.id);
    const key = keys.get(upstream.id) ?? null;
    const known = before?.get(upstream.id);
    const goesOn =
      known?.exit === exit && known.key === key && canonicalJson(known.upstream) === canonicalJson(upstream);
    return goesOn ? known : openLine(upstream, exit, key, options);
  };
  const lines = new Map(upstreams.map((upstream): [string, Line] => [upstream.id, lineTo(upstream)]));
  const lineOf = (id: string | undefined): Line => {
    const line = id === undefined ? lines.values().next().value : lines.get(id);
    if (line === undefined) throw new Error(`no upstream has the id "${id}"`);
    return line;
  };

  const places = new Map<string, { others: Destination; models: Map<string, Destination> }>();
  const placeOf = (prefix: string, line: Line) => {
    const known = places.get(prefix);
    if (known !== undefined) return known;
    const place = { others: { line, subject: null }, models: new Map<string, Destination>() };
    places.set(prefix, place);
    return place;
  };
  const plain = placeOf("", lineOf(undefined));
  for (const { id, upstream, models, route } of subjects) {
    const line = lineOf(upstream);
    // Whatever else is asked below a subject's own prefix goes to that subject's upstream.
    const place = placeOf(route ?? "", line);
    for (const model of models) place.models.set(model, { line, subject: id });
  }

  const bySubject = new Map(
    subjects.flatMap(({ id, upstream, models: [model] }) =>
      model === undefined ? [] : [[id, { destination: { line: lineOf(upstream), subject: id }, model }] as const],
    ),
  );

  const at = ({ prefix }: Route) => places.get(prefix) ?? plain;
  return {
    prefixes: [...places.keys()].filter((prefix) => prefix !== ""),
    lines,
    forModel(route, model) {
      const place = at(route);
      const known = model === null ? undefined : place.models.get(model);
      return known ?? (unmatched === "relay" ? place.others : null);
    },
    forSubject: (id) => (id === null ? null : (bySubject.get(id) ?? null)),
    forRoute: (route) => at(route).others,
  };
};
