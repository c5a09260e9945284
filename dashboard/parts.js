/** Small pieces that several views show: badges, bars, intervals, messages. */
import { html } from "./preact.js";
import { count, decimal, evidence, percent } from "./words.js";

/** @typedef {import("./api.js").SubjectView["verdict"]} Verdict */
/** @typedef {Verdict["harmRate"]["sinceCalibration"]} Interval */

/** @param {{ persona: string, assured?: boolean }} props */
export const PersonaBadge = ({ persona, assured = false }) =>
  html`<span class=${`badge persona-${persona}`}>${persona}${assured ? ", assured" : ""}</span>`;

/** @param {{ severity: string }} props */
export const SeverityBadge = ({ severity }) =>
  html`<span class=${`badge severity-${severity}`}>${severity === "none" ? "no alarm" : severity}</span>`;

/**
 * Evidence towards a threshold; both natural logarithms.
 * @param {{ label: string, log: number | null, threshold: number }} props
 */
export const EvidenceBar = ({ label, log, threshold }) => {
  const share = Math.max(0, Math.min(1, (log ?? 0) / threshold));
  const reached = log !== null && log >= threshold;
  const text = `${evidence(log)} of ${evidence(threshold)}${reached ? ", reached" : ""}`;
  return html`<div class="bar-row">
    <span class="bar-label">${label}</span>
    <meter class=${reached ? "reached" : ""} min="0" max="1" value=${share} aria-label=${`${label}: ${text}`}></meter>
    <span class="bar-text">${text}</span>
  </div>`;
};

/** The window that tells of now: since the change, where there is one. @param {Verdict["harmRate"]} windows */
export const present = ({ sinceChange, sinceCalibration }) => sinceChange ?? sinceCalibration;

/** @param {{ interval: Interval, unit: "percent" | "mean" }} props */
export const IntervalText = ({ interval: { lower, estimate, upper, n }, unit }) => {
  const show = unit === "percent" ? percent : decimal;
  if (n === 0) return html`<span class="quiet">no data yet</span>`;
  return html`<span><strong>${show(estimate)}</strong>${" "}<span class="quiet">${show(lower)} to ${show(upper)}, n ${count(n)}</span></span>`;
};

/** @param {{ error: string }} props */
export const ErrorNote = ({ error }) => html`<p class="note error" role="alert">${error}</p>`;

/** @param {{ verdict: Verdict }} props */
export const CalibrationBars = ({ verdict }) =>
  html`${verdict.calibration.map(
    ({ name, have, need }) =>
      html`<div class="bar-row" key=${name}>
        <span class="bar-label">baseline ${name}</span>
        <meter min="0" max="1" value=${need === 0 ? 1 : have / need} aria-label=${`baseline ${name}: ${have} of ${need}`}></meter>
        <span class="bar-text">${count(have)} of ${count(need)}</span>
      </div>`,
  )}`;

/**
 * Choices that narrow a list; each is part of the address, so that a view can be shared.
 * @param {{ query: URLSearchParams, filters: [name: string, label: string, values: string[]][], nameOf: (value: string) => string, go: (query: URLSearchParams) => void }} props
 */
export const Filters = ({ query, filters, nameOf, go }) => {
  const choose = (/** @type {string} */ name, /** @type {string} */ value) => {
    const next = new URLSearchParams(query);
    next.delete("before");
    if (value === "") next.delete(name);
    else next.set(name, value);
    go(next);
  };
  return html`<form class="filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    ${filters.map(
      ([name, label, values]) => html`<label key=${name}>${label}
        <select name=${name} value=${query.get(name) ?? ""} onChange=${(/** @type {Event} */ event) => choose(name, /** @type {HTMLSelectElement} */ (event.target).value)}>
          <option value="">any</option>
          ${values.map((value) => html`<option key=${value} value=${value}>${nameOf(value)}</option>`)}
        </select>
      </label>`,
    )}
  </form>`;
};

/**
 * From the newest page of a list to older ones and back.
 * @param {{ query: URLSearchParams, next: number | null, go: (query: URLSearchParams) => void }} props
 */
export const Paging = ({ query, next, go }) => {
  const before = (/** @type {number | null} */ position) => {
    const wanted = new URLSearchParams(query);
    wanted.delete("before");
    if (position !== null) wanted.set("before", String(position));
    go(wanted);
  };
  return html`<div class="buttons">
    ${query.has("before") && html`<button type="button" onClick=${() => before(null)}>Newest</button>`}
    <button type="button" onClick=${() => before(next)} disabled=${next === null}>Older</button>
  </div>`;
};
