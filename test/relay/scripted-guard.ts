/**
 * A guard that looks for plain terms, for tests of what the relay does with decisions. Its stream window holds back what
 * could still become a term, as any guard must.
 */
import type { Gap, Inspection } from "../../src/dialect/carriers.ts";
import type {
  Action,
  Decision,
  Edit,
  ExchangeGuard,
  Guard,
  Release,
  Stage,
  StreamedCarrier,
  StreamGuard,
} from "../../src/guard/guard.ts";

export interface Script {
  /** What is looked for, and what is done where it is found. */
  request?: { term: string; action: Action; rerouteTo?: string };
  response?: { term: string; action: Action };
  /** For responses: default hold. */
  mode?: "watch" | "hold";
  uninspectable?: "deny" | "allow";
  /** Decisions come this much later. */
  delayMs?: number;
  /** Deciding throws. */
  broken?: boolean;
}

export interface ScriptedGuard extends Guard {
  decisions: Decision[];
  inspections: Inspection[];
  began: string[];
}

const replacement = "[removed]";

export const scriptGuard = (script: Script): ScriptedGuard => {
  const decisions: Decision[] = [];
  const inspections: Inspection[] = [];
  const began: string[] = [];

  const decided = (stage: Stage, action: Action, gaps: readonly Gap[], edits: Edit[] = []): Decision => {
    const decision: Decision = {
      id: `d${decisions.length}`,
      stage,
      action,
      policy: action === "allow" ? null : "terms",
      asked: ["terms"],
      findings: [],
      coverage: gaps.length === 0 ? "full" : "partial",
      gaps: [...gaps],
      edits,
      message: action === "block" || action === "refuse" ? "Not allowed here." : null,
      rerouteTo: action === "reroute" ? (script.request?.rerouteTo ?? null) : null,
      unavailable: false,
    };
    decisions.push(decision);
    return decision;
  };

  const decide = (stage: Stage, { carriers, gaps }: Inspection): Decision => {
    const rule = script[stage];
    if (rule === undefined) return decided(stage, "allow", gaps);
    const edits = carriers.flatMap(({ at, text }) =>
      [...text.matchAll(new RegExp(rule.term, "g"))].map(({ index }) => ({
        at,
        start: index,
        end: index + rule.term.length,
        replacement,
      })),
    );
    if (edits.length > 0) return decided(stage, rule.action, gaps, rule.action === "redact" ? edits : []);
    return decided(stage, gaps.length > 0 && script.uninspectable !== "allow" ? "block" : "allow", gaps);
  };

  const later = (decision: Decision): Decision | Promise<Decision> =>
    script.delayMs === undefined
      ? decision
      : new Promise((resolve) => setTimeout(() => resolve(decision), script.delayMs));

  const stream = (progress: () => void): StreamGuard => {
    const { term = "", action = "allow" } = script.response ?? {};
    const texts = new Map<string, { text: string; closed: boolean }>();
    let decision: Decision | null = null;
    let pending: Decision | null = null;
    const keyOf = ({ kind, choice, index, tool }: StreamedCarrier) => `${kind} ${choice} ${index} ${tool}`;
    const textOf = (carrier: StreamedCarrier) => {
      const known = texts.get(keyOf(carrier)) ?? { text: "", closed: false };
      texts.set(keyOf(carrier), known);
      return known;
    };
    const settle = (next: Decision): void => {
      if (pending !== null) return;
      pending = next;
      if (script.delayMs === undefined) decision = next;
      else
        setTimeout(() => {
          decision = next;
          progress();
        }, script.delayMs);
    };
    const editsOf = (text: string) =>
      action !== "redact"
        ? []
        : [...text.matchAll(new RegExp(term, "g"))].map(({ index }) => ({
            at: [],
            start: index,
            end: index + term.length,
            replacement,
          }));
    return {
      push(carrier, text) {
        if (script.broken) throw new Error("broken guard");
        const known = textOf(carrier);
        known.text += text;
        if (term !== "" && known.text.includes(term) && (action === "block" || action === "refuse")) {
          settle(decided("response", action, []));
        }
      },
      advance() {},
      close(carrier) {
        textOf(carrier).closed = true;
      },
      gap(gap) {
        if (script.uninspectable !== "allow") settle(decided("response", "block", [gap]));
      },
      end(gaps) {
        for (const known of texts.values()) known.closed = true;
        const found = [...texts.values()].some(({ text }) => term !== "" && text.includes(term));
        settle(decided("response", found ? action : "allow", gaps));
      },
      released(carrier): Release {
        const { text, closed } = textOf(carrier);
        if (script.delayMs !== undefined && decision === null) return { to: 0, edits: [] };
        const edits = editsOf(text);
        if (closed) return { to: text.length, edits };
        // The longest end of the text that is the beginning of a term.
        let open = Math.min(term.length - 1, text.length);
        while (open > 0 && !term.startsWith(text.slice(text.length - open))) open -= 1;
        return { to: text.length - Math.max(open, 0), edits };
      },
      get decision() {
        return decision;
      },
    };
  };

  return {
    decisions,
    inspections,
    began,
    begin({ route }): ExchangeGuard {
      began.push(route);
      return {
        readsRequest: script.request !== undefined,
        response: script.response === undefined ? "none" : (script.mode ?? "hold"),
        request(inspection) {
          if (script.broken) throw new Error("broken guard");
          inspections.push(inspection);
          return later(decide("request", inspection));
        },
        answer(inspection) {
          if (script.broken) throw new Error("broken guard");
          inspections.push(inspection);
          return later(decide("response", inspection));
        },
        stream,
      };
    },
  };
};
