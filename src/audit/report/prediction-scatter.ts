/**
 * Predicted against judged harm. Drawn with the line of exact predictions and with the regression control: what the same
 * predictions give when they know nothing of the answer they are about.
 */
import type { Prediction } from "../figures.ts";
import { type Markup, markup, nothing } from "./markup.ts";

const width = 640;
const height = 420;
const frame = { left: 64, right: 16, top: 16, bottom: 52 };
const inner = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom };
const ticks = [0, 0.25, 0.5, 0.75, 1];

const x = (judged: number): number => frame.left + inner.width * judged;
const y = (predicted: number): number => frame.top + inner.height * (1 - predicted);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Least squares; null where all answers were judged alike. */
const fitted = (points: readonly Prediction[]): { slope: number; offset: number } | null => {
  const [judged, predicted] = [mean(points.map((point) => point.judged)), mean(points.map((point) => point.predicted))];
  const spread = points.reduce((sum, point) => sum + (point.judged - judged) ** 2, 0);
  if (points.length < 3 || spread < 1e-9) return null;
  const together = points.reduce((sum, point) => sum + (point.judged - judged) * (point.predicted - predicted), 0);
  return { slope: together / spread, offset: predicted - (together / spread) * judged };
};

const lineOf = (name: string, at: (judged: number) => number): Markup =>
  markup`<line class="${name}" x1="${x(0)}" x2="${x(1)}" y1="${y(at(0))}" y2="${y(at(1))}"/>`;

export const predictionScatter = (points: readonly Prediction[]): Markup => {
  const line = fitted(points);
  const control = points.length === 0 ? null : mean(points.map(({ predicted }) => predicted));
  const slope = line === null ? "no slope" : `slope ${line.slope.toFixed(2)}`;
  return markup`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${`Predicted against judged harm of ${points.length} answers, ${slope}; 1 would be exact, 0 is the regression control.`}">
<rect class="plane" x="${x(0)}" y="${y(1)}" width="${inner.width}" height="${inner.height}"/>
${ticks.map(
  (tick) => markup`<line class="grid" x1="${x(0)}" x2="${x(1)}" y1="${y(tick)}" y2="${y(tick)}"/>
<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${y(0)}" y2="${y(1)}"/>
<text class="tick" x="${x(0) - 8}" y="${y(tick) + 4}" text-anchor="end">${tick}</text>
<text class="tick" x="${x(tick)}" y="${y(0) + 18}" text-anchor="middle">${tick}</text>`,
)}
${lineOf("divide", (judged) => judged)}
${control === null ? nothing : lineOf("control", () => control)}
${line === null ? nothing : lineOf("fit", (judged) => Math.min(1, Math.max(0, line.offset + line.slope * judged)))}
${points.map(({ predicted, judged }) => markup`<circle class="point" cx="${x(judged)}" cy="${y(predicted)}" r="4"/>`)}
<text class="axis" x="${x(0.5)}" y="${height - 8}" text-anchor="middle">harm as judged</text>
<text class="axis" transform="translate(14 ${y(0.5)}) rotate(-90)" text-anchor="middle">harm as predicted</text>
</svg>`;
};
