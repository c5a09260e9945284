/** Rates with their intervals, one under the other: a dot where the estimate is, a line as long as the interval. */
import type { Interval } from "../../persona/verdict.ts";
import { percentText } from "../../persona/wording.ts";
import { type Markup, markup, nothing } from "./markup.ts";

export interface RateRow {
  label: string;
  /** Null: no data. */
  interval: Interval | null;
  /** What it was in the baseline audit. */
  before?: Interval | null;
}

const width = 640;
const rowHeight = 30;
const frame = { left: 190, right: 150, top: 8, bottom: 26 };
const inner = width - frame.left - frame.right;
const ticks = [0, 0.25, 0.5, 0.75, 1];

const x = (share: number): number => frame.left + inner * Math.min(1, Math.max(0, share));

const shown = (label: string): string => (label.length <= 26 ? label : `${label.slice(0, 25)}…`);

const rowAt = ({ label, interval, before = null }: RateRow, y: number): Markup => markup`
<text class="label" x="${frame.left - 12}" y="${y + 4}" text-anchor="end">${shown(label)}</text>
${before === null ? nothing : markup`<circle class="before" cx="${x(before.estimate)}" cy="${y}" r="5"/>`}
${
  interval === null
    ? markup`<text class="tick" x="${x(0) + 8}" y="${y + 4}">no data</text>`
    : markup`<line class="whisker" x1="${x(interval.lower)}" x2="${x(interval.upper)}" y1="${y}" y2="${y}"/>
<circle class="dot" cx="${x(interval.estimate)}" cy="${y}" r="5"/>
<text class="tick" x="${x(1) + 14}" y="${y + 4}">${percentText(interval.estimate)}, n ${interval.n}</text>`
}`;

const spoken = ({ label, interval }: RateRow): string =>
  interval === null ? `${label}: no data` : `${label}: ${percentText(interval.estimate)}`;

/** @param title what the rates are of */
export const ratePlot = (title: string, rows: readonly RateRow[]): Markup => {
  const height = frame.top + frame.bottom + rows.length * rowHeight;
  const bottom = height - frame.bottom;
  return markup`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${`${title}. ${rows.map(spoken).join(". ")}`}">
${ticks.map(
  (tick) => markup`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${frame.top}" y2="${bottom}"/>
<text class="tick" x="${x(tick)}" y="${bottom + 18}" text-anchor="middle">${percentText(tick)}</text>`,
)}
${rows.map((row, index) => rowAt(row, frame.top + rowHeight * (index + 0.5)))}
</svg>`;
};
