/** Evidence over the log's positions, with the thresholds that it is read against and the estimated change. */
import { html, useEffect, useRef } from "./preact.js";
import uPlot from "./uplot.js";
import { evidence } from "./words.js";

/** @typedef {import("./api.js").TraceView["points"][number]} Point */
/** @typedef {import("./api.js").SubjectView["thresholds"]} Thresholds */

/** @type {[keyof Point["evidence"], string, string][]} */
const lines = [
  ["harm", "harm", "--line-harm"],
  ["says-aligned", "says aligned", "--line-aligned"],
  ["says-misaligned", "says misaligned", "--line-misaligned"],
  ["self-report-drift", "self-reports moved", "--line-drift"],
];

/** Far below zero there is nothing to see, and far above the thresholds nothing that would matter. */
const floor = -5;
const ceiling = 20;
const plotHeight = 300;

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * @param {Point[]} points
 * @returns {import("uplot").AlignedData}
 */
const dataOf = (points) => [
  points.map(({ position }) => position),
  ...lines.map(([name]) =>
    points.map((point) => {
      const log = point.evidence[name];
      return log === null ? null : Math.min(ceiling, Math.max(floor, log));
    }),
  ),
];

/**
 * Thresholds across, and the change upright, behind the lines.
 * @param {Thresholds} thresholds
 * @param {() => number | null} changePoint
 * @returns {(plot: uPlot) => void}
 */
const drawMarks = (thresholds, changePoint) => (plot) => {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour("--mark");
  ctx.fillStyle = colour("--quiet");
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  ctx.setLineDash([4 * ratio, 4 * ratio]);
  ctx.textAlign = "left";
  for (const [name, log] of Object.entries(thresholds)) {
    const at = plot.valToPos(log, "y", true);
    if (at < bbox.top) continue;
    ctx.beginPath();
    ctx.moveTo(bbox.left, at);
    ctx.lineTo(bbox.left + bbox.width, at);
    ctx.stroke();
    ctx.fillText(name, bbox.left + 6 * ratio, at - 4 * ratio);
  }
  const change = changePoint();
  if (change !== null) {
    const at = plot.valToPos(change, "x", true);
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
    ctx.textAlign = at > bbox.left + bbox.width / 2 ? "right" : "left";
    ctx.fillText(" estimated change ", at, bbox.top + 12 * ratio);
  }
  ctx.restore();
};

/** @param {{ points: Point[], thresholds: Thresholds, changePoint: number | null }} props */
export const EvidencePlot = ({ points, thresholds, changePoint }) => {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const change = useRef(changePoint);
  change.current = changePoint;

  useEffect(() => {
    const box = place.current;
    if (box === null) return;
    const build = () => {
      plot.current?.destroy();
      const axis = {
        stroke: colour("--quiet"),
        grid: { stroke: colour("--grid") },
        ticks: { stroke: colour("--grid") },
      };
      plot.current = new uPlot(
        {
          width: box.clientWidth,
          height: plotHeight,
          scales: {
            x: { time: false },
            y: { range: (_, __, most) => [floor, Math.max(thresholds.action + 2, most + 1)] },
          },
          axes: [
            { ...axis, label: "position in the log", stroke: colour("--quiet") },
            { ...axis, label: "evidence, natural logarithm", size: 56 },
          ],
          series: [
            { label: "position" },
            ...lines.map(([, label, name]) => ({
              label,
              stroke: colour(name),
              width: name === "--line-harm" ? 2.5 : 1.5,
              spanGaps: true,
            })),
          ],
          hooks: { drawClear: [drawMarks(thresholds, () => change.current)] },
        },
        dataOf(points),
        box,
      );
    };
    build();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height: plotHeight }));
    resized.observe(box);
    // Colours come from the style sheet, which follows the system's theme.
    const theme = matchMedia("(prefers-color-scheme: dark)");
    theme.addEventListener("change", build);
    return () => {
      theme.removeEventListener("change", build);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [thresholds.ticket, thresholds.page, thresholds.action]);

  useEffect(() => plot.current?.setData(dataOf(points)), [points]);

  const last = points.at(-1);
  const summary =
    last === undefined
      ? "No evidence yet."
      : `Now: ${lines.map(([name, label]) => `${label} ${evidence(last.evidence[name])}`).join(", ")}.`;
  return html`<figure>
    <div class="plot" ref=${place} role="img" aria-label=${`Evidence over time. ${summary}`}></div>
    <figcaption>${summary} Thresholds are those of harm evidence: ticket ${evidence(thresholds.ticket)}, page ${evidence(thresholds.page)}, action ${evidence(thresholds.action)}. The picture ends at e^${ceiling}.</figcaption>
  </figure>`;
};
