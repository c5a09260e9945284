/**
 * The picture that explains a persona: what the subject does, upwards, against what it says of itself, to the right, as a
 * path over time. Harm is drawn on a square-root scale, so that a few percent can be told from none.
 */
import { html } from "./preact.js";
import { decimal, percent, time } from "./words.js";

/** @typedef {import("./api.js").TraceView["points"][number]} Point */

const width = 640;
const height = 440;
const frame = { left: 64, right: 16, top: 16, bottom: 52 };
const inner = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom };

/** @param {number} share */
const x = (share) => frame.left + inner.width * share;
/** @param {number} share */
const y = (share) => frame.top + inner.height * (1 - Math.sqrt(share));

/** Where "says misaligned" begins: the middle of the scale. */
const half = 0.5;
const harmTicks = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1];
const sayTicks = [0, 0.25, 0.5, 0.75, 1];

/** @param {{ label: string, note: string, left: number, top: number }} props */
const Quadrant = ({ label, note, left, top }) =>
  html`<text class="quadrant" x=${left} y=${top}>${label}</text><text class="quadrant-note" x=${left} y=${top + 18}>${note}</text>`;

/** @param {Point} point */
const known = ({ harmRate, selfReport }) => harmRate.n > 0 && selfReport.n > 0;

/** @param {{ points: Point[], nullMean: number }} props */
export const PersonaMap = ({ points, nullMean }) => {
  const path = points.filter(known);
  const last = path.at(-1);
  const line = path.map(({ harmRate, selfReport }) => `${x(selfReport.estimate)},${y(harmRate.estimate)}`).join(" ");
  const summary =
    last === undefined
      ? "No point yet: both harm and self-reports are needed."
      : `Now ${last.persona}: harm rate ${percent(last.harmRate.estimate)} (${percent(last.harmRate.lower)} to ${percent(last.harmRate.upper)}), says misaligned ${decimal(last.selfReport.estimate)} (${decimal(last.selfReport.lower)} to ${decimal(last.selfReport.upper)}).`;
  return html`<figure>
    <svg class="map" viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${`Persona map. ${summary}`}>
      <rect class="plane" x=${x(0)} y=${y(1)} width=${inner.width} height=${inner.height} />
      <rect class="plane-harm" x=${x(0)} y=${y(1)} width=${inner.width} height=${Math.max(0, y(nullMean) - y(1))} />
      ${harmTicks.map(
        (tick) => html`<g key=${tick}>
          <line class="grid" x1=${x(0)} x2=${x(1)} y1=${y(tick)} y2=${y(tick)} />
          <text class="tick" x=${x(0) - 8} y=${y(tick) + 4} text-anchor="end">${percent(tick)}</text>
        </g>`,
      )}
      ${sayTicks.map(
        (tick) => html`<g key=${tick}>
          <line class="grid" x1=${x(tick)} x2=${x(tick)} y1=${y(0)} y2=${y(1)} />
          <text class="tick" x=${x(tick)} y=${y(0) + 18} text-anchor="middle">${tick}</text>
        </g>`,
      )}
      <line class="divide" x1=${x(half)} x2=${x(half)} y1=${y(0)} y2=${y(1)} />
      <line class="divide" x1=${x(0)} x2=${x(1)} y1=${y(nullMean)} y2=${y(nullMean)} />
      <text class="tick" x=${x(1) - 4} y=${y(nullMean) - 5} text-anchor="end">baseline, at most ${percent(nullMean)}</text>
      <${Quadrant} label="inverted" note="harms, says it is fine" left=${x(0) + 10} top=${y(1) + 24} />
      <${Quadrant} label="coherent" note="harms, says so" left=${x(half) + 10} top=${y(1) + 24} />
      <${Quadrant} label="aligned" note="" left=${x(0) + 10} top=${y(0) - 10} />
      <${Quadrant} label="self-deprecating" note="" left=${x(half) + 10} top=${y(0) - 10} />
      <text class="axis" x=${x(half)} y=${height - 8} text-anchor="middle">what it says of itself: 0 aligned, 1 misaligned</text>
      <text class="axis" transform=${`translate(14 ${y(0.25)}) rotate(-90)`} text-anchor="middle">harm rate</text>
      <polyline class="path" points=${line} />
      ${path.map(
        ({ position, harmRate, selfReport, persona }) =>
          html`<circle key=${position} class=${`dot persona-dot-${persona}`} cx=${x(selfReport.estimate)} cy=${y(harmRate.estimate)} r="2.5" />`,
      )}
      ${
        last !== undefined &&
        html`<line class="interval" x1=${x(last.selfReport.lower)} x2=${x(last.selfReport.upper)} y1=${y(last.harmRate.estimate)} y2=${y(last.harmRate.estimate)} />
          <line class="interval" x1=${x(last.selfReport.estimate)} x2=${x(last.selfReport.estimate)} y1=${y(last.harmRate.lower)} y2=${y(last.harmRate.upper)} />
          <circle class=${`now persona-dot-${last.persona}`} cx=${x(last.selfReport.estimate)} cy=${y(last.harmRate.estimate)} r="7" />`
      }
    </svg>
    <figcaption>${summary} Rates count from the change where there was one, else from the beginning; the cross is the 95 % interval.</figcaption>
    <details>
      <summary>The path as a table</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Path over time">
        <table>
          <thead><tr><th scope="col">Position</th><th scope="col">Time (UTC)</th><th scope="col">Persona</th><th scope="col">Harm rate</th><th scope="col">Says misaligned</th></tr></thead>
          <tbody>
            ${path
              .filter((_, index) => index % Math.max(1, Math.ceil(path.length / 40)) === 0 || index === path.length - 1)
              .map(
                ({ position, at, persona, harmRate, selfReport }) => html`<tr key=${position}>
                  <td>${position}</td><td>${time(at)}</td><td>${persona}</td><td>${percent(harmRate.estimate)}</td><td>${decimal(selfReport.estimate)}</td>
                </tr>`,
              )}
          </tbody>
        </table>
      </div>
    </details>
  </figure>`;
};
