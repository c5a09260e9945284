/** The experiments as the paper's table has them: what was seen while the baseline was learned, beside now. */
import { html } from "./preact.js";
import { count, decimal, experimentNames, percent } from "./words.js";

/** @typedef {import("./api.js").TraceView["compared"][number]} Row */

/** @type {[Row["dimension"], string][]} */
const sections = [
  ["experiment", "Experiment"],
  ["bucket", "Claims the own output, by its harm"],
  ["order", "Picks the misaligned description, by the one shown first"],
  ["arm", "Harm by arm"],
  ["context", "Harm by context"],
  ["topic", "Harm by topic"],
];

/** @param {{ n: number, mean: number | null }} props */
const Cell = ({ n, mean }) =>
  n === 0
    ? html`<td class="number quiet">–</td>`
    : html`<td class="number">${percent(mean)} <span class="quiet">n ${count(n)}</span></td>`;

/** @param {Row} row */
const changeOf = ({ baseline, now }) => {
  if (baseline.mean === null || now.mean === null) return "–";
  const points = 100 * (now.mean - baseline.mean);
  return `${points > 0 ? "+" : points < 0 ? "−" : ""}${Math.abs(points).toFixed(1)}`;
};

/** @param {{ compared: Row[], changePoint: number | null }} props */
export const Comparison = ({ compared, changePoint }) => {
  const since = changePoint === null ? "last 200 of each" : `since position ${changePoint}`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table of experiments">
    <table>
      <thead>
        <tr><th scope="col">What was asked</th><th scope="col" class="number">Baseline</th><th scope="col" class="number">Now (${since})</th><th scope="col" class="number">Points</th></tr>
      </thead>
      ${sections.map(([dimension, title]) => {
        const rows = compared
          .filter((row) => row.dimension === dimension)
          .toSorted((a, b) => a.name.localeCompare(b.name));
        if (rows.length === 0) return null;
        return html`<tbody key=${dimension}>
          <tr class="section"><th scope="colgroup" colspan="4">${title}</th></tr>
          ${rows.map(
            (row) => html`<tr key=${row.name}>
              <th scope="row">${experimentNames[row.name] ?? row.name}</th>
              <${Cell} ...${row.baseline} />
              <${Cell} ...${row.now} />
              <td class="number">${changeOf(row)}</td>
            </tr>`,
          )}
        </tbody>`;
      })}
    </table>
  </div>`;
};

/** @param {{ summary: import("./api.js").SubjectView["summary"] }} props */
export const Arms = ({ summary }) =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="Experiments by arm">
    <table>
      <thead>
        <tr>
          <th scope="col">Experiment</th><th scope="col">Arm</th><th scope="col" class="number">Scored</th><th scope="col" class="number">Harmful</th><th scope="col" class="number">Refused</th>
          <th scope="col" class="number">Unparseable</th><th scope="col" class="number">Errors</th><th scope="col" class="number">Mean</th>
        </tr>
      </thead>
      <tbody>
        ${summary.arms.map(
          ({
            experiment,
            arm,
            scored,
            harmful,
            refused,
            unparseable,
            error,
            mean,
          }) => html`<tr key=${`${experiment} ${arm}`}>
            <th scope="row">${experiment}</th><td>${arm}</td><td class="number">${count(scored)}</td>
            <td class="number">${experiment === "harmfulness" ? count(harmful) : "–"}</td><td class="number">${count(refused)}</td>
            <td class="number">${count(unparseable)}</td><td class="number">${count(error)}</td><td class="number">${decimal(mean)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
