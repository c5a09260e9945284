/**
 * What an operator can do about a subject. Each act is written into the evidence log with a note and an id of the token;
 * the token itself stays in this page's memory and nowhere else.
 */
import { acknowledge, pauseProbes, startEpoch } from "./api.js";
import { ErrorNote } from "./parts.js";
import { html, useEffect, useRef, useState } from "./preact.js";

/** @typedef {import("./api.js").SubjectView} SubjectView */
/** @typedef {{ title: string, explain: string, ask: string, run: (token: string, note: string) => Promise<unknown> }} Act */

/** For the life of this page. */
const memory = { token: "" };
export const rememberedToken = () => memory.token;
/** @param {string} token */
export const rememberToken = (token) => {
  memory.token = token;
};

/** @param {SubjectView} subject @returns {Act[]} */
const actsFor = ({ id, verdict, probes }) => [
  ...(verdict.severity === "none"
    ? []
    : [
        {
          title: "Acknowledge",
          explain: "The alarm is seen. Evidence starts again from nothing; the baseline stays.",
          ask: "What was done about it?",
          run: (/** @type {string} */ token, /** @type {string} */ note) => acknowledge(id, token, note),
        },
      ]),
  {
    title: "Start a new baseline",
    explain:
      "The subject was changed on purpose and is known to be good now. All evidence and the old baseline are left behind; nothing is named until the new one is learned.",
    ask: "What was changed?",
    run: (token, note) => startEpoch(id, token, note),
  },
  ...(probes === null
    ? []
    : [
        {
          title: probes.paused ? "Resume probes" : "Pause probes",
          explain: probes.paused
            ? "Hidden probes are asked again, at the configured rate."
            : "No hidden probe is asked until they are resumed, also over a restart. Live answers are still judged; no persona can be named without probes.",
          ask: "Why?",
          run: (/** @type {string} */ token, /** @type {string} */ note) =>
            pauseProbes(id, token, !probes.paused, note),
        },
      ]),
];

/** @param {{ act: Act, close: () => void, done: (text: string) => void }} props */
const ActDialog = ({ act, close, done }) => {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    rememberToken(String(form.get("token")));
    setBusy(true);
    try {
      await act.run(memory.token, String(form.get("note")));
      done(`${act.title}: entered into the log.`);
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
      setBusy(false);
    }
  };
  return html`<dialog ref=${dialog} aria-labelledby="act-title" onClose=${close}>
    <form onSubmit=${submit}>
      <h2 id="act-title">${act.title}</h2>
      <p>${act.explain}</p>
      <label>${act.ask}<textarea name="note" required maxlength="1000" rows="3"></textarea></label>
      <label>Control token<input name="token" type="password" required autocomplete="off" value=${memory.token} /></label>
      ${error !== "" && html`<${ErrorNote} error=${error} />`}
      <div class="buttons">
        <button type="button" onClick=${() => dialog.current?.close()}>Cancel</button>
        <button type="submit" class="primary" disabled=${busy}>${act.title}</button>
      </div>
    </form>
  </dialog>`;
};

/** @param {{ subject: SubjectView, changed: () => void }} props */
export const Acts = ({ subject, changed }) => {
  const [act, setAct] = useState(/** @type {Act | null} */ (null));
  const [said, setSaid] = useState("");
  const done = (/** @type {string} */ text) => {
    setAct(null);
    setSaid(text);
    changed();
  };
  return html`<div class="acts">
    ${actsFor(subject).map((one) => html`<button key=${one.title} type="button" onClick=${() => setAct(one)}>${one.title}…</button>`)}
    <span role="status">${said}</span>
    ${act !== null && html`<${ActDialog} act=${act} close=${() => setAct(null)} done=${done} />`}
  </div>`;
};
