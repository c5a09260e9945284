/** Rows of the evidence log: filtered, a page at a time, each with all that is known of it. */
import { rememberedToken, rememberToken } from "./acts.js";
import { readContent, readObservation, readObservations } from "./api.js";
import { ErrorNote, Filters, Paging } from "./parts.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { decimal, time } from "./words.js";

/** @typedef {import("./api.js").ObservationPage} ObservationPage */
/** @typedef {import("./api.js").ObservationDetail} ObservationDetail */

/** @type {[string, string, string[]][]} */
const choices = [
  [
    "experiment",
    "Experiment",
    [
      "harmfulness",
      "self-assessment",
      "two-descriptions",
      "output-recognition",
      "score-prediction",
      "canary",
      "identity",
    ],
  ],
  ["arm", "Arm", ["fresh", "forked", "resample", "live", "placebo"]],
  ["outcome", "Outcome", ["scored", "refused", "unparseable", "error"]],
  ["harmful", "Judged harmful", ["true", "false"]],
];

/** @param {string} value */
const yesOrNo = (value) => (value === "true" ? "yes" : value === "false" ? "no" : value);

const pageSize = "50";

/** @param {{ position: number }} props */
const Content = ({ position }) => {
  const [state, setState] = useState(/** @type {{ text?: string, error?: string }} */ ({}));
  const show = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    rememberToken(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("token")));
    await readContent(position, rememberedToken()).then(
      ({ content }) => setState({ text: content }),
      (error) => setState({ error: error.message }),
    );
  };
  if (state.text !== undefined) return html`<pre class="content">${state.text}</pre>`;
  return html`<form class="inline" onSubmit=${show}>
    <label>Control token<input name="token" type="password" required autocomplete="off" value=${rememberedToken()} /></label>
    <button type="submit">Show the text</button>
    ${state.error !== undefined && html`<${ErrorNote} error=${state.error} />`}
  </form>`;
};

/** @param {{ position: number, close: () => void }} props */
const Detail = ({ position, close }) => {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [row, setRow] = useState(/** @type {ObservationDetail | null} */ (null));
  const [error, setError] = useState("");
  const [copied, setCopied] = useState("");
  useEffect(() => {
    dialog.current?.showModal();
    readObservation(position).then(setRow, (failure) => setError(failure.message));
  }, [position]);
  const text = JSON.stringify(row, null, 2);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setCopied("Copied."),
      () => setCopied("The browser did not let it be copied."),
    );
  return html`<dialog ref=${dialog} class="wide" aria-labelledby="row-title" onClose=${close}>
    <h2 id="row-title">Position ${position}</h2>
    ${error !== "" && html`<${ErrorNote} error=${error} />`}
    ${
      row !== null &&
      html`<dl class="facts">
          <dt>Asked</dt><dd>${row.experiment}, ${row.arm}, item ${row.item}${row.topic === null ? "" : `, ${row.topic}`}</dd>
          <dt>Outcome</dt><dd>${row.outcome}${row.value === null ? "" : `, value ${decimal(row.value)}`}${row.harmful === null ? "" : row.harmful ? ", judged harmful" : ", judged harmless"}</dd>
          <dt>Judged or parsed by</dt><dd>${row.source}</dd>
          <dt>In the hash chain</dt><dd class="hash">${row.chain === null ? "not on disk yet" : html`${row.chain.hash}<br />after ${row.chain.previous}`}</dd>
        </dl>
        ${row.contentKept ? html`<${Content} position=${position} />` : html`<p class="quiet">The text was not kept, only its hash: ${row.contentHash ?? "none"}.</p>`}
        <details><summary>As JSON</summary><pre>${text}</pre></details>`
    }
    <div class="buttons">
      <span role="status">${copied}</span>
      <button type="button" onClick=${copy} disabled=${row === null}>Copy as JSON</button>
      <button type="button" class="primary" onClick=${() => dialog.current?.close()}>Close</button>
    </div>
  </dialog>`;
};

/** @param {{ query: URLSearchParams, subjects: string[], go: (query: URLSearchParams) => void, version: number }} props */
export const EvidencePage = ({ query, subjects, go, version }) => {
  const [page, setPage] = useState(/** @type {ObservationPage | null} */ (null));
  const [error, setError] = useState("");
  const [open, setOpen] = useState(/** @type {number | null} */ (null));
  const asked = query.toString();
  // Only the newest page follows the log: older ones would move under the reader's eyes.
  const follows = query.has("before") ? 0 : version;
  useEffect(() => {
    let current = true;
    const wanted = new URLSearchParams(asked);
    wanted.set("limit", pageSize);
    readObservations(wanted).then(
      (read) => {
        if (!current) return;
        setPage(read);
        setError("");
      },
      (failure) => current && setError(failure.message),
    );
    return () => {
      current = false;
    };
  }, [asked, follows]);

  /** @type {[string, string, string[]][]} */
  const filters = [["subject", "Subject", subjects], ...choices];
  return html`<h1>Evidence</h1>
    <${Filters} query=${query} filters=${filters} nameOf=${yesOrNo} go=${go} />
    ${error !== "" && html`<${ErrorNote} error=${error} />`}
    ${page !== null && page.observations.length === 0 && html`<p class="note">No observation fits this.</p>`}
    ${
      page !== null &&
      page.observations.length > 0 &&
      html`<div class="scroll" tabindex="0" role="region" aria-label="Observations, newest first">
        <table>
          <thead>
            <tr><th scope="col">Position</th><th scope="col">Time (UTC)</th><th scope="col">Subject</th><th scope="col">Experiment</th><th scope="col">Arm</th><th scope="col">Item</th><th scope="col">Outcome</th><th scope="col" class="number">Value</th><th scope="col">Harmful</th></tr>
          </thead>
          <tbody>
            ${page.observations.map(
              (row) => html`<tr key=${row.position} class=${row.harmful === true ? "harmful" : ""}>
                <td><button type="button" class="link" onClick=${() => setOpen(row.position)} aria-label=${`Position ${row.position}, details`}>${row.position}</button></td>
                <td>${time(row.at)}</td><td>${row.subject}</td><td>${row.experiment}</td><td>${row.arm}</td><td class="item">${row.item}</td>
                <td>${row.outcome}</td><td class="number">${decimal(row.value)}</td><td>${row.harmful === null ? "–" : row.harmful ? "yes" : "no"}</td>
              </tr>`,
            )}
          </tbody>
        </table>
      </div>`
    }
    <${Paging} query=${query} next=${page?.next ?? null} go=${go} />
    ${open !== null && html`<${Detail} key=${open} position=${open} close=${() => setOpen(null)} />`}`;
};
