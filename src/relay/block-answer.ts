/** Answers a client whose request or answer was blocked, in the dialect's own shape, before anything else was sent. */
import { type ServerResponse, STATUS_CODES } from "node:http";
import { type Blocked, blockError, createStreamEnding, envelopeOf, refusalBody } from "../dialect/block-shapes.ts";
import { isFields } from "../dialect/inspecting.ts";
import { parseJson } from "../dialect/json-body.ts";
import { failedClosed } from "../guard/failed-closed.ts";
import { type Decision, denies, type Stage } from "../guard/guard.ts";
import { exchangeIdHeader } from "./failure.ts";

/** Whether bytes may pass under this decision, perhaps edited. Rerouting is over once there is an answer. */
export const passes = ({ action, unavailable, stage }: Decision): boolean =>
  !unavailable && !denies(action) && !(action === "reroute" && stage === "response");

/** For edits that were decided and cannot be made: what was to be hidden is not sent at all. */
export const blockedUnedited = (id: string, stage: Stage, decision: Decision | null): Decision => ({
  ...(decision ?? failedClosed(id, stage)),
  action: "block",
  edits: [],
  message: null,
  unavailable: false,
});

const defaultMessages = {
  request: "The request was blocked by a policy. Leave out the blocked part before you send this conversation again.",
  response: "The answer was blocked by a policy.",
  unavailable: "A policy could not be evaluated, so nothing was passed on. Try again later.",
};

export const blockedBy = ({ message, policy, stage, id, unavailable }: Decision): Blocked => ({
  message: message ?? (unavailable ? defaultMessages.unavailable : defaultMessages[stage]),
  policy,
  stage,
  decisionId: id,
  unavailable,
});

interface Answering {
  response: ServerResponse;
  exchangeId: string;
  path: string;
  decision: Decision;
  requestBody: Buffer;
  /** The answer that was blocked; null where there was none, or none that can be read. */
  answer: unknown;
  /** Of the decision. */
  headers: readonly string[];
  nowMs: number;
}

/** What a refusing action sends; null where the decision or the dialect asks for an error. */
const refusalOf = ({
  path,
  decision,
  requestBody,
  answer,
  nowMs,
}: Answering): { type: string; body: string } | null => {
  if (decision.action !== "refuse" || decision.unavailable) return null;
  const request = parseJson(requestBody.toString("utf8"));
  const envelope = envelopeOf(request, answer, nowMs);
  if (isFields(request) && request.stream === true) {
    const ending = createStreamEnding(path);
    return (
      ending && {
        type: "text/event-stream; charset=utf-8",
        body: ending.refusal(blockedBy(decision), envelope, "done"),
      }
    );
  }
  const body = refusalBody(path, blockedBy(decision), envelope);
  return body && { type: "application/json", body: JSON.stringify(body) };
};

/** For those who try again by themselves: by then a judge that failed may be back. */
const unavailableForS = "10";

/** Gives the status that was sent. */
export const answerBlocked = (answering: Answering): number => {
  const { response, exchangeId, path, decision, headers } = answering;
  const refusal = refusalOf(answering);
  const status = decision.unavailable ? 503 : refusal === null ? 400 : 200;
  const { type, body } = refusal ?? {
    type: "application/json",
    body: JSON.stringify(blockError(path, blockedBy(decision))),
  };
  response.writeHead(status, STATUS_CODES[status] ?? "", [
    ...["content-type", type, "content-length", String(Buffer.byteLength(body)), exchangeIdHeader, exchangeId],
    // A verdict does not change by asking again, and asking again would send the same text once more.
    ...["x-should-retry", "false"],
    ...(decision.unavailable ? ["retry-after", unavailableForS] : []),
    ...headers,
  ]);
  response.end(body);
  return status;
};
