/** The guard over the configured policies: compiled once, asked for every exchange. */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Inspection } from "../dialect/carriers.ts";
import { type Clock, systemClock } from "../kernel/clock.ts";
import { type Ask, decide, type Rule, type Rules, rulesOf } from "./decide.ts";
import { exempting } from "./exemptions.ts";
import { failedClosed } from "./failed-closed.ts";
import type { Decision, ExchangeGuard, Guard, Stage } from "./guard.ts";
import { type Condition, conditionOf } from "./match.ts";
import { type Policy, policyVersion } from "./policy.ts";
import { guardStream } from "./streamed-answer.ts";

interface Options {
  policies: readonly Policy[];
  /** The persona that the verdict on a subject names now. */
  personaOf: (subject: string) => { persona: string };
  /** Asks classifiers and judges. */
  ask: Ask;
  clock?: Pick<Clock, "monotonic">;
  /** Deciding broke off, after the exchange was no longer waited for in one turn; nothing passes. */
  failed?: (error: unknown) => void;
  /** Unguessable ids of decisions. */
  newId?: () => string;
}

interface Compiled {
  policy: Policy;
  version: string;
  condition: Condition;
}

/** Whether a request has the headers that a policy is about. */
const hasHeaders = (wanted: Readonly<Record<string, string>>, headers: IncomingHttpHeaders): boolean =>
  Object.entries(wanted).every(([name, value]) => {
    const given = headers[name];
    const text = Array.isArray(given) ? given.join(", ") : given;
    if (text === undefined) return false;
    return value.endsWith("*") ? text.startsWith(value.slice(0, -1)) : text === value;
  });

/** Throws on a policy that can't be compiled: `loadPolicies` tells of that with its place. */
export const createGuard = ({
  policies,
  personaOf,
  ask,
  clock = systemClock,
  failed = () => {},
  newId = randomUUID,
}: Options): Guard => {
  const compiled = policies.map(
    (policy): Compiled => ({
      policy,
      version: policyVersion(policy),
      condition: conditionOf(policy.match, policy.normalise, policy.except),
    }),
  );
  const byHeaders = compiled.filter(({ policy }) => policy.where.headers !== undefined);

  const rulesAt = (mine: readonly Compiled[], stage: Stage, persona: string | null): Rules => {
    const rules = mine
      .filter(({ policy }) => policy.stage === stage)
      .map(({ policy, ...rest }): Rule => {
        const turned = persona !== null && policy.enforceWhile?.includes(persona) === true;
        return { policy, ...rest, enforced: policy.mode === "enforce" || turned };
      });
    return rulesOf(stage, rules);
  };

  const guardFor = (
    subject: string | null,
    route: string,
    persona: string | null,
    headers: IncomingHttpHeaders,
  ): ExchangeGuard | null => {
    const concerned = compiled.filter(({ policy: { where } }) => {
      if (where.subjects !== undefined && (subject === null || !where.subjects.includes(subject))) return false;
      if (where.routes !== undefined && !where.routes.includes(route)) return false;
      if (where.headers !== undefined && !hasHeaders(where.headers, headers)) return false;
      return where.personas === undefined || (persona !== null && where.personas.includes(persona));
    });
    const { applied, bypasses } = exempting(concerned);
    if (applied.length === 0 && bypasses.request.length === 0 && bypasses.response.length === 0) return null;
    const onRequest = rulesAt(applied, "request", persona);
    const onAnswer = rulesAt(applied, "response", persona);
    const mayHold = onAnswer.rules.some(({ enforced, policy }) => enforced && policy.action !== "flag");
    const timed = (rules: Rules, inspection: Inspection): Decision | Promise<Decision> => {
      const from = clock.monotonic();
      const id = newId();
      const made = decide(rules, inspection, id, ask);
      const took = (decision: Decision): Decision => {
        decision.tookMs = clock.monotonic() - from;
        const bypassed = bypasses[rules.stage];
        if (bypassed.length > 0) decision.findings = [...decision.findings, ...bypassed];
        return decision;
      };
      if (!(made instanceof Promise)) return took(made);
      return made.then(took, (error: unknown) => {
        failed(error);
        return failedClosed(id, rules.stage);
      });
    };
    const answer = (inspection: Inspection): Decision | Promise<Decision> => timed(onAnswer, inspection);
    return {
      readsRequest: onRequest.rules.length > 0 || bypasses.request.length > 0,
      response: onAnswer.rules.length === 0 && bypasses.response.length === 0 ? "none" : mayHold ? "hold" : "watch",
      request: (inspection) => timed(onRequest, inspection),
      answer,
      stream: (progress) => guardStream({ rules: onAnswer, judge: answer, progress }),
    };
  };

  /** Subjects, routes and personas are few, and the guard of an exchange remembers nothing of it. */
  const known = new Map<string, ExchangeGuard | null>();
  return {
    begin({ subject, route, requestHeaders }) {
      const persona = subject === null ? null : personaOf(subject).persona;
      let key = `${subject === null ? "" : `=${subject}`}\n${route}\n${persona ?? ""}\n`;
      for (const { policy } of byHeaders) key += hasHeaders(policy.where.headers ?? {}, requestHeaders) ? "1" : "0";
      let guard = known.get(key);
      if (guard === undefined) {
        guard = guardFor(subject, route, persona, requestHeaders);
        known.set(key, guard);
      }
      return guard;
    },
  };
};
