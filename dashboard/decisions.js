/** What the policies decided: each policy with its effect, in force or in shadow, and the exchanges, a page at a time. */
import { readDecision, readDecisions, readPolicies } from "./api.js";
import { ErrorNote, Filters, Paging } from "./parts.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { count, percent, time } from "./words.js";

/** @typedef {import("./api.js").DecisionPage} DecisionPage */
/** @typedef {import("./api.js").DecisionDetail} DecisionDetail */
/** @typedef {DecisionPage["decisions"][number]} Decision */
/** @typedef {import("./api.js").PolicyList["policies"][number]} Policy */

const pageSize = "50";

/** @type {[string, string, string[]][]} */
const choices = [
  ["action", "Done", ["block", "refuse", "reroute", "redact", "flag", "allow"]],
  ["result", "Result", ["enforced", "would", "error", "bypass"]],
];

/** @type {Record<string, string>} */
const resultNames = { enforced: "in force", would: "in shadow", error: "failed", bypass: "bypassed" };
/** @param {string} result */
const nameOfResult = (result) => resultNames[result] ?? result;

/** @param {Policy["where"]} where */
const scope = ({ subjects, routes, carriers, personas }) => {
  const parts = [
    subjects === null ? "" : subjects.join(", "),
    routes === null ? "" : `on ${routes.join(", ")}`,
    carriers === null ? "" : `in ${carriers.join(", ")}`,
    personas === null ? "" : `while ${personas.join(" or ")}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "all traffic" : parts.join("; ");
};

/** What it does, or would. @param {Policy} policy */
const effect = ({ mode, action, asked, enforced, would, wouldChange }) => {
  if (asked === 0) return "not asked yet";
  if (mode === "enforce") return `${count(enforced)} of ${count(asked)} (${percent(enforced / asked)})`;
  const also = would > wouldChange ? `; found in ${count(would)}, the others were stopped anyway` : "";
  return `would ${action} ${count(wouldChange)} of ${count(asked)} (${percent(wouldChange / asked)})${also}`;
};

/** @param {{ policies: Policy[] }} props */
const Policies = ({ policies }) => {
  if (policies.length === 0)
    return html`<p class="note">No policy is configured: nothing is ever held back. Name files under <code>policies</code> in the configuration.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Policies">
    <table>
      <thead>
        <tr><th scope="col">Policy</th><th scope="col">Mode</th><th scope="col">Reads</th><th scope="col">Does</th><th scope="col">Concerns</th><th scope="col">Effect since the process began</th></tr>
      </thead>
      <tbody>
        ${policies.map(
          (policy) => html`<tr key=${policy.id}>
            <td class="words"><a href=${`#/decisions?${new URLSearchParams({ policy: policy.id })}`}>${policy.id}</a><br /><span class="quiet">${policy.description}</span></td>
            <td>${policy.mode === "shadow" ? html`<span class="badge shadow">shadow</span>` : "in force"}</td>
            <td>${policy.stage}s</td><td>${policy.action}</td><td class="words">${scope(policy.where)}</td>
            <td class="words">${effect(policy)}${policy.error > 0 ? html` <span class="badge severity-ticket">${count(policy.error)} failed</span>` : ""}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
};

/** @param {Decision} decision */
const found = ({ findings }) =>
  [...new Set(findings.map(({ policy, result }) => `${policy} (${nameOfResult(result)})`))].join(", ");

/** @param {{ position: number, close: () => void }} props */
const Detail = ({ position, close }) => {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [row, setRow] = useState(/** @type {DecisionDetail | null} */ (null));
  const [error, setError] = useState("");
  useEffect(() => {
    dialog.current?.showModal();
    readDecision(position).then(setRow, (failure) => setError(failure.message));
  }, [position]);
  return html`<dialog ref=${dialog} class="wide" aria-labelledby="decision-title" onClose=${close}>
    <h2 id="decision-title">Decision at position ${position}</h2>
    ${error !== "" && html`<${ErrorNote} error=${error} />`}
    ${
      row !== null &&
      html`<dl class="facts">
          <dt>Done</dt><dd>${row.action}${row.policy === null ? "" : `, by ${row.policy}`}${row.unavailable ? ", as a policy could not be evaluated" : ""}</dd>
          <dt>Exchange</dt><dd>${row.exchange}: the ${row.stage} on ${row.route}, ${row.subject ?? "no subject"}</dd>
          <dt>Told to the client as</dt><dd>${row.id}</dd>
          <dt>Inspected</dt><dd>${row.coverage}${row.gaps.length === 0 ? "" : `; not read: ${row.gaps.join(", ")}`}</dd>
          <dt>In the hash chain</dt><dd class="hash">${row.chain === null ? "not on disk yet" : html`${row.chain.hash}<br />after ${row.chain.previous}`}</dd>
        </dl>
        <h3>Found</h3>
        <ul>
          ${row.findings.map(
            ({ policy, version, action, result, matcher, where, count: places }) =>
              html`<li>${policy} <span class="quiet">version ${version}</span>: ${matcher}${where === null ? "" : ` in ${where}`}${places > 1 ? `, ${count(places)} places` : ""}; ${action}, ${nameOfResult(result)}</li>`,
          )}
        </ul>
        <p class="quiet">What matched is never kept.</p>
        <details><summary>As JSON</summary><pre>${JSON.stringify(row, null, 2)}</pre></details>`
    }
    <div class="buttons"><button type="button" class="primary" onClick=${() => dialog.current?.close()}>Close</button></div>
  </dialog>`;
};

/** @param {{ query: URLSearchParams, subjects: string[], go: (query: URLSearchParams) => void, version: number }} props */
export const DecisionsPage = ({ query, subjects, go, version }) => {
  const [page, setPage] = useState(/** @type {DecisionPage | null} */ (null));
  const [policies, setPolicies] = useState(/** @type {Policy[] | null} */ (null));
  const [error, setError] = useState("");
  const [open, setOpen] = useState(/** @type {number | null} */ (null));
  const asked = query.toString();
  // Only the newest page follows the log: older ones would move under the reader's eyes.
  const follows = query.has("before") ? 0 : version;
  useEffect(() => {
    let current = true;
    const wanted = new URLSearchParams(asked);
    wanted.set("limit", pageSize);
    Promise.all([readDecisions(wanted), readPolicies()]).then(
      ([read, known]) => {
        if (!current) return;
        setPage(read);
        setPolicies(known.policies);
        setError("");
      },
      (failure) => current && setError(failure.message),
    );
    return () => {
      current = false;
    };
  }, [asked, follows]);

  /** @type {[string, string, string[]][]} */
  const filters = [
    ["subject", "Subject", subjects],
    ["policy", "Policy", (policies ?? []).map(({ id }) => id)],
    ...choices,
  ];
  return html`<h1>Decisions</h1>
    ${error !== "" && html`<${ErrorNote} error=${error} />`}
    ${policies !== null && html`<${Policies} policies=${policies} />`}
    <h2 class="apart">Exchanges in which a policy found something</h2>
    <${Filters} query=${query} filters=${filters} nameOf=${nameOfResult} go=${go} />
    ${page !== null && page.decisions.length === 0 && html`<p class="note">No decision fits this.</p>`}
    ${
      page !== null &&
      page.decisions.length > 0 &&
      html`<div class="scroll" tabindex="0" role="region" aria-label="Decisions, newest first">
        <table>
          <thead>
            <tr><th scope="col">Position</th><th scope="col">Time (UTC)</th><th scope="col">Subject</th><th scope="col">Of the</th><th scope="col">Done</th><th scope="col">Found by</th><th scope="col">Inspected</th></tr>
          </thead>
          <tbody>
            ${page.decisions.map(
              (row) => html`<tr key=${row.position}>
                <td><button type="button" class="link" onClick=${() => setOpen(row.position)} aria-label=${`Position ${row.position}, details`}>${row.position}</button></td>
                <td>${time(row.at)}</td><td>${row.subject ?? "none"}</td><td>${row.stage}</td>
                <td><span class=${`badge action-${row.action}`}>${row.action}</span></td><td>${found(row)}</td>
                <td>${row.coverage}${row.gaps.length === 0 ? "" : ` (${row.gaps.join(", ")})`}</td>
              </tr>`,
            )}
          </tbody>
        </table>
      </div>`
    }
    <${Paging} query=${query} next=${page?.next ?? null} go=${go} />
    ${open !== null && html`<${Detail} key=${open} position=${open} close=${() => setOpen(null)} />`}`;
};
