/**
 * What the relay asks of the policies, and what they answer. The relay acts on decisions and never makes one; the guard
 * decides and never touches a socket.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Carrier, CarrierKind, Gap, Inspection } from "../dialect/carriers.ts";

export type Stage = "request" | "response";

/** From the mildest to the strictest; of several policies that match, the strictest decides. */
export const actions = ["allow", "flag", "redact", "reroute", "refuse", "block"] as const;
export type Action = (typeof actions)[number];

/** Whether nothing of what it is about may pass. */
export const denies = (action: Action): boolean => action === "block" || action === "refuse";

/** Text of one carrier to be replaced. Offsets are UTF-16 units of `Carrier.text`; edits of a carrier do not overlap and are in order. */
export interface Edit {
  at: Carrier["at"];
  start: number;
  end: number;
  replacement: string;
}

/** What one policy found. Never holds the text that matched. */
export interface Finding {
  policy: string;
  /** Hash of the policy's content. */
  version: string;
  /** What the policy asks for when it matches, or what its `onError` asks for when it could not be evaluated. */
  action: Action;
  /** enforced: decides. would: a shadow policy that would have decided so. error: could not be evaluated. bypass: not applied, by a declared exception. */
  result: "enforced" | "would" | "error" | "bypass";
  /** Kind of the carrier and its place, for people: `message user messages[2].content`. */
  where: string | null;
  /** Which matcher matched: `terms`, `secret:aws-access-key`, `score`. */
  matcher: string;
}

export interface Decision {
  /** Unguessable, for the client's header, the log and evidence. */
  id: string;
  stage: Stage;
  action: Action;
  /** The policy that decided; null for allow. */
  policy: string | null;
  /** Ids of the policies that were asked; those without a finding did not match. */
  asked: readonly string[];
  findings: Finding[];
  /** What is found in texts about which a model is still asked and nobody waits for; never rejects. */
  later?: Promise<Finding[]>;
  /** Milliseconds that deciding took; left out where it was not measured. */
  tookMs?: number;
  coverage: Inspection["coverage"];
  gaps: Gap[];
  /** For redact: what to replace. Empty for every other action. */
  edits: Edit[];
  /** For block and refuse: what the client may read. Never the text that matched. */
  message: string | null;
  /** For reroute: id of another subject. */
  rerouteTo: string | null;
  /** A blocking policy could not be evaluated and fails closed: 503, not 400. */
  unavailable: boolean;
}

interface GuardedExchange {
  /** The relay's id of the exchange. */
  id: string;
  /** Null for traffic that belongs to no subject. */
  subject: string | null;
  /** Name of the relay's route: chat, completions, responses, messages, embeddings, pass-through. */
  route: string;
  requestHeaders: IncomingHttpHeaders;
}

/**
 * The policies that concern one exchange; it keeps the version that it began with. Decisions come at once where only
 * deterministic matchers are asked, and as a promise, which never rejects, where a classifier or judge is.
 */
export interface ExchangeGuard {
  /** Whether a request policy concerns this exchange at all. */
  readonly readsRequest: boolean;
  /**
   * none: no response policy concerns it. watch: only flags and shadows do, so bytes pass at once and are judged on a
   * copy. hold: something may block or redact, so text waits until it is decided.
   */
  readonly response: "none" | "watch" | "hold";
  request(inspection: Inspection): Decision | Promise<Decision>;
  /** A whole answer that is not a stream. */
  answer(inspection: Inspection): Decision | Promise<Decision>;
  /** A streamed answer. `progress` is called when more may be released, or a decision was made, outside of a call. */
  stream(progress: () => void): StreamGuard;
}

/** Which text of a streamed answer: every one of these is a text of its own. */
export interface StreamedCarrier {
  kind: CarrierKind;
  choice: number;
  /** Index of the tool call, or of the part; 0 where there is one only. */
  index: number;
  tool: string | null;
}

export interface Release {
  /** UTF-16 units of this carrier's text that are decided: all before it may go, as edited. Never falls. */
  to: number;
  /** Edits within the decided text, by offsets in the whole carrier text; `at` is empty. */
  edits: readonly Edit[];
}

/**
 * The release window of one streamed answer. For any chunking of the same texts the decision is the same, and equals that
 * of `answer` on the whole.
 */
export interface StreamGuard {
  /** More of a text; nothing is decided by that. */
  push(carrier: StreamedCarrier, text: string): void;
  /** Decides on what has come as far as that can be, so that it may leave. */
  advance(): void;
  /** No more text will come for this carrier. */
  close(carrier: StreamedCarrier): void;
  /** What could not be inspected, as soon as it is met: where that is denied, the decision is there at once. */
  gap(gap: Gap): void;
  /** The answer is over, with everything that could not be inspected in it. */
  end(gaps: readonly Gap[]): void;
  released(carrier: StreamedCarrier): Release;
  /** Non-null as soon as the answer must not go on (block, refuse, unavailable), else once all is decided. */
  readonly decision: Decision | null;
}

export interface Guard {
  /** Null when no policy concerns this exchange: it then costs nothing more. */
  begin(exchange: GuardedExchange): ExchangeGuard | null;
}
