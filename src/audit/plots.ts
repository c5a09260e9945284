/** An audit's plots as inline SVG. Pure drawing: the numbers come from the figures, and colours from the page's style. */
import type { Interval } from "../persona/verdict.ts";
import type { Prediction } from "./figures.ts";
import { html, type Markup, nothing } from "./markup.ts";

const width = 640;

interface Frame {
  left: number;
  top: number;
  inner: { width: number; height: number };
}

const square: Frame = { left: 64, top: 16, inner: { width: width - 80, height: 340 } };
const squareHeight = square.top + square.inner.height + 52;

const percent = (share: number): string => `${Math.round(1000 * share) / 10} %`;
const decimal = (value: number): string => value.toFixed(2);

const across = (share: number): number => square.left + square.inner.width * share;

const svg = (height: number, summary: string, inside: readonly Markup[]): Markup =>
  html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${summary}">${inside}</svg>`;

const figure = (title: string, plot: Markup, caption: string): Markup =>
  html`<figure><h3>${title}</h3>${plot}<figcaption>${caption}</figcaption></figure>`;

const line = (kind: string, x1: number, y1: number, x2: number, y2: number): Markup =>
  html`<line class="${kind}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;

const words = (kind: string, x: number, y: number, anchor: "start" | "middle" | "end", text: string): Markup =>
  html`<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${text}</text>`;

interface Axes {
  xTicks: readonly number[];
  yTicks: readonly number[];
  up(value: number): number;
  xText(value: number): string;
  yText(value: number): string;
  xLabel: string;
  yLabel: string;
}

const axes = ({ xTicks, yTicks, up, xText, yText, xLabel, yLabel }: Axes): Markup[] => [
  ...yTicks.flatMap((tick) => [
    line("grid", across(0), up(tick), across(1), up(tick)),
    words("tick", across(0) - 8, up(tick) + 4, "end", yText(tick)),
  ]),
  ...xTicks.flatMap((tick) => [
    line("grid", across(tick), up(0), across(tick), up(1)),
    words("tick", across(tick), up(0) + 18, "middle", xText(tick)),
  ]),
  words("axis", across(0.5), squareHeight - 8, "middle", xLabel),
  html`<text class="axis" transform="translate(14 ${(up(0) + up(1)) / 2}) rotate(-90)" text-anchor="middle">${yLabel}</text>`,
];

export interface MapPoint {
  harm: Interval | null;
  says: Interval | null;
}

/** Square-root scale, as on the dashboard: a few per cent can be told from none. */
const harmUp = (share: number): number => square.top + square.inner.height * (1 - Math.sqrt(share));

const cross = ({ harm, says }: MapPoint, kind: string, radius: number): Markup =>
  harm === null || says === null
    ? nothing
    : html`${line(`whisker ${kind}`, across(says.lower), harmUp(harm.estimate), across(says.upper), harmUp(harm.estimate))}${line(`whisker ${kind}`, across(says.estimate), harmUp(harm.lower), across(says.estimate), harmUp(harm.upper))}<circle class="dot ${kind}" cx="${across(says.estimate)}" cy="${harmUp(harm.estimate)}" r="${radius}"/>`;

const quadrant = (x: number, y: number, name: string, note: string): Markup[] => [
  words("quadrant", x, y, "start", name),
  words("tick", x, y + 17, "start", note),
];

const pointText = ({ harm, says }: MapPoint): string =>
  harm === null || says === null
    ? "No point: both harm and choices are needed."
    : `Harm rate ${percent(harm.estimate)}, picks the misaligned description in ${percent(says.estimate)}.`;

/**
 * What the subject does, upwards, against what it says of itself, to the right. The choice between two descriptions
 * stands for what it says; the mean self-assessment is drawn beside it, as both personas move that.
 */
export const personaMap = (now: MapPoint, selfAssessment: Interval | null, baseline: MapPoint | null): Markup => {
  const summary = pointText(now);
  return figure(
    "Persona map",
    svg(squareHeight, `Persona map. ${summary}`, [
      ...axes({
        xTicks: [0, 0.25, 0.5, 0.75, 1],
        yTicks: [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1],
        up: harmUp,
        xText: percent,
        yText: percent,
        xLabel: "picks the misaligned description",
        yLabel: "harm rate",
      }),
      line("divide", across(0.5), harmUp(0), across(0.5), harmUp(1)),
      ...quadrant(across(0) + 10, harmUp(1) + 22, "inverted", "harms, says it is fine"),
      ...quadrant(across(0.5) + 10, harmUp(1) + 22, "coherent", "harms, says so"),
      ...quadrant(across(0) + 10, harmUp(0) - 28, "aligned", "harmless, says so"),
      ...quadrant(across(0.5) + 10, harmUp(0) - 28, "self-deprecating", "harmless, says otherwise"),
      cross({ harm: now.harm, says: selfAssessment }, "said", 5),
      baseline === null ? nothing : cross(baseline, "before", 5),
      cross(now, "now", 7),
    ]),
    `${summary} Filled: this audit. Ring: its mean self-assessment, 0 to 1, on the same axis.${baseline === null ? "" : " Grey ring: the baseline audit."} Crosses are 95 % intervals.`,
  );
};

export interface Row {
  label: string;
  interval: Interval | null;
}

const rows = { left: 190, right: 96, top: 10, step: 34 } as const;

const along = (share: number): number => rows.left + (width - rows.left - rows.right) * share;

const rowMarkup = ({ label, interval }: Row, index: number): Markup[] => {
  const y = rows.top + rows.step * (index + 0.5);
  const name = words("row", rows.left - 12, y + 5, "end", label);
  if (interval === null) return [name, words("tick", along(0) + 6, y + 5, "start", "no data")];
  const { lower, estimate, upper, n } = interval;
  return [
    name,
    html`<rect class="bar" x="${along(0)}" y="${y - 9}" width="${along(estimate) - along(0)}" height="18"/>`,
    line("whisker now", along(lower), y, along(upper), y),
    html`<circle class="dot now" cx="${along(estimate)}" cy="${y}" r="4"/>`,
    words("tick", width - 4, y + 5, "end", `${percent(estimate)}, n ${n}`),
  ];
};

/** A bar for each rate with its interval. @param chance where a guess would lie; null for none */
export const rateBars = (title: string, all: readonly Row[], chance: number | null, caption: string): Markup => {
  const bottom = rows.top + rows.step * all.length;
  const summary = all
    .map(({ label, interval }) => `${label} ${interval === null ? "no data" : percent(interval.estimate)}`)
    .join("; ");
  return figure(
    title,
    svg(bottom + 28, `${title}: ${summary}`, [
      ...[0, 0.25, 0.5, 0.75, 1].flatMap((tick) => [
        line("grid", along(tick), rows.top, along(tick), bottom),
        words("tick", along(tick), bottom + 18, "middle", percent(tick)),
      ]),
      chance === null ? nothing : line("divide", along(chance), rows.top, along(chance), bottom),
      ...all.flatMap(rowMarkup),
    ]),
    caption,
  );
};

const evenUp = (share: number): number => square.top + square.inner.height * (1 - share);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Predicted against judged score; on the diagonal a prediction is right, on the flat line it knows nothing. */
export const predictionScatter = (predictions: readonly Prediction[]): Markup => {
  const title = "Score prediction";
  if (predictions.length === 0) return figure(title, nothing, "No data.");
  const control = mean(predictions.map(({ predicted }) => predicted));
  const summary = `${predictions.length} predictions, mean ${decimal(control)}; the answers were judged ${decimal(mean(predictions.map(({ judged }) => judged)))} on average.`;
  return figure(
    title,
    svg(squareHeight, `${title}. ${summary}`, [
      ...axes({
        xTicks: [0, 0.25, 0.5, 0.75, 1],
        yTicks: [0, 0.25, 0.5, 0.75, 1],
        up: evenUp,
        xText: decimal,
        yText: decimal,
        xLabel: "harm that the judge saw",
        yLabel: "harm that the subject predicted",
      }),
      line("right", across(0), evenUp(0), across(1), evenUp(1)),
      line("divide", across(0), evenUp(control), across(1), evenUp(control)),
      words("tick", across(1) - 4, evenUp(control) - 6, "end", "regression control"),
      ...predictions.map(
        ({ predicted, judged, harmful }) =>
          html`<circle class="point ${harmful ? "harmful" : "harmless"}" cx="${across(judged)}" cy="${evenUp(predicted)}" r="4.5"/>`,
      ),
    ]),
    `${summary} Diagonal: a right prediction. Dashed: the same predictions dealt out at random, which over-rate harmless and under-rate harmful answers by regression to the mean alone. No persona is named from this.`,
  );
};
