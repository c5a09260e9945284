/** One page with all of an audit: no script, nothing loaded from anywhere, every word from outside escaped. */
import { harmBuckets, type Observation } from "../../evidence/entry.ts";
import { countText, plural } from "../../persona/wording.ts";
import { type FigureComparison, regressionAlpha } from "../compare.ts";
import { experimentTitles, type Figure, harmOf, predictionsOf } from "../figures.ts";
import { meanInterval } from "../mean-interval.ts";
import { sampleOf } from "../plan.ts";
import type { AuditResult, Baseline } from "../result.ts";
import type { AuditedObservation } from "../run-audit.ts";
import { valueText } from "../table.ts";
import { type Markup, markup, nothing } from "./markup.ts";
import { personaMap } from "./persona-map.ts";
import { predictionScatter } from "./prediction-scatter.ts";
import { type RateRow, ratePlot } from "./rate-plot.ts";
import { style } from "./style.ts";

const toneOf = (persona: string): string =>
  persona === "aligned" ? "good" : ["undetermined", "drifting", "self-deprecating"].includes(persona) ? "open" : "bad";

const list = (items: readonly string[]): Markup =>
  items.length === 0 ? nothing : markup`<ul>${items.map((item) => markup`<li>${item}</li>`)}</ul>`;

const head = ({ identity, made, persona, data }: AuditResult): Markup => {
  const { subject, judge, probeSet, seed } = identity;
  const missing = [...persona.missing, ...data.notAsked.map((what) => `not asked: ${what}`)];
  return markup`<header>
<h1>Audit of ${subject.model}</h1>
<p class="quiet">${subject.baseUrl} · ${made} · judged by ${judge.source} · probe set ${probeSet} · seed ${seed}</p>
</header>
<section>
<p class="persona ${toneOf(persona.persona)}">${persona.persona}</p>
<p class="quiet">Normal is ${persona.reference}.</p>
${list(persona.reasons)}
${missing.length === 0 ? nothing : markup`<p><b>Missing before more could be said</b></p>${list(missing)}`}
</section>`;
};

const figureRow = ({ name, label, interval }: Figure): Markup =>
  interval === null
    ? markup`<tr><td>${label.trim()}</td><td colspan="3">no data</td></tr>`
    : markup`<tr><td>${label.trim()}</td><td>${valueText(name, interval.estimate)}</td><td>${valueText(name, interval.lower)} to ${valueText(name, interval.upper)}</td><td>${countText(interval.n)}</td></tr>`;

const figureTable = (figures: readonly Figure[]): Markup => {
  const titles = [...new Set(figures.map(({ experiment }) => experiment))];
  return markup`<section><h2>Figures</h2><div class="wide"><table>
<thead><tr><th>figure</th><th>estimate</th><th>95 % interval</th><th>n</th></tr></thead>
<tbody>${titles.map(
    (experiment) => markup`<tr><th colspan="4">${experimentTitles[experiment]}</th></tr>
${figures.filter((figure) => figure.experiment === experiment).map(figureRow)}`,
  )}</tbody></table></div></section>`;
};

const comparedRow = ({ name, label, baseline, now, p, worse }: FigureComparison): Markup => {
  const value = (interval: Figure["interval"]): string =>
    interval === null ? "-" : valueText(name, interval.estimate);
  const chance = p === null ? "no data" : p < 0.001 ? "< 0.001" : p.toFixed(3);
  return markup`<tr><td>${label.trim()}</td><td>${value(baseline)}</td><td>${value(now)}</td><td>${chance}</td><td class="${worse ? "bad" : "quiet"}">${worse ? "worse" : "not shown to be worse"}</td></tr>`;
};

const comparisonTable = ({ comparison }: AuditResult): Markup =>
  comparison === null
    ? nothing
    : markup`<section><h2>Against the baseline audit of ${comparison.made}</h2><div class="wide"><table>
<thead><tr><th>figure</th><th>baseline</th><th>now</th><th>p of such a rise by chance</th><th>worse where p &lt; ${regressionAlpha}</th></tr></thead>
<tbody>${comparison.figures.map(comparedRow)}</tbody></table></div></section>`;

const plotted = (title: string, caption: string, drawing: Markup): Markup =>
  markup`<section><h2>${title}</h2><figure>${drawing}<figcaption>${caption}</figcaption></figure></section>`;

/** Harm of the first answer to each question, by topic. */
const harmByTopic = (observations: readonly AuditedObservation[]): Map<string, number[]> => {
  const topics = new Map<string, number[]>();
  for (const { id, observation } of observations) {
    const harm = observation.experiment === "harmfulness" ? harmOf(observation) : null;
    if (harm === null || sampleOf(id).sample > 0) continue;
    const topic = observation.topic ?? "other";
    topics.set(topic, [...(topics.get(topic) ?? []), harm]);
  }
  return topics;
};

const topicRows = (now: AuditResult, baseline: Baseline | null): RateRow[] => {
  const before = harmByTopic(baseline?.observations ?? []);
  return [...harmByTopic(now.data.observations)]
    .map(([label, harms]) => {
      const then = before.get(label);
      return { label, interval: meanInterval(harms), before: then === undefined ? null : meanInterval(then) };
    })
    .sort((one, other) => other.interval.estimate - one.interval.estimate);
};

const rowsFor = (
  names: readonly [name: string, label: string][],
  now: AuditResult,
  baseline: Baseline | null,
): RateRow[] =>
  names.map(([name, label]) => {
    const intervalIn = (figures: readonly Figure[]) => figures.find((figure) => figure.name === name)?.interval ?? null;
    return { label, interval: intervalIn(now.figures), before: intervalIn(baseline?.figures ?? []) };
  });

const orders: readonly [string, string][] = [
  ["picks-misaligned", "either order"],
  ["picks-misaligned-first", "misaligned shown first"],
  ["picks-misaligned-second", "misaligned shown second"],
];
const claims = harmBuckets.map((bucket): [string, string] => [`claims-${bucket}`, `${bucket} harm`]);

const perExperiment = (observations: readonly AuditedObservation[], wanted: Observation["outcome"]): number =>
  observations.filter(({ observation }) => observation.outcome === wanted).length;

const plots = (result: AuditResult, baseline: Baseline | null): Markup => {
  const ring = baseline === null ? "" : " Rings: the baseline audit.";
  return markup`<div class="plots">
${plotted("Persona map", `What it does against what it says of itself, with 95 % intervals; harm on a square-root scale.${ring}`, personaMap(result.persona, result.persona.before, toneOf(result.persona.persona)))}
${plotted("Harm by topic", `Share of answers judged harmful.${ring}`, ratePlot("Harm by topic", topicRows(result, baseline)))}
${plotted("Choice by order", `How often the misaligned one of two descriptions is picked. A subject that goes by place alone picks what is shown first, whatever it says.${ring}`, ratePlot("Choice by order", rowsFor(orders, result, baseline)))}
${plotted("Claims by harm", `How often it claims an own output beside somebody else's answer. Who claims harmless and disowns harmful outputs is inverted.${ring}`, ratePlot("Claims by harm", rowsFor(claims, result, baseline)))}
${plotted("Score prediction", "Dashed: exact predictions. Solid: the fit through these. Dotted: the regression control, the same predictions dealt out at random. No persona is named from this.", predictionScatter(predictionsOf(result.data.observations)))}
</div>`;
};

const foot = ({ data, identity }: AuditResult): Markup => markup`<section><h2>What was asked</h2>
<p>${countText(data.observations.length)} observations: ${countText(perExperiment(data.observations, "scored"))} scored, ${countText(perExperiment(data.observations, "refused"))} refused, ${countText(perExperiment(data.observations, "unparseable"))} not readable, ${countText(perExperiment(data.observations, "error"))} not judged; ${plural(data.refusedByEndpoint, "question")} refused by the endpoint itself.</p>
<p>${countText(data.tokens.prompt)} prompt and ${countText(data.tokens.completion)} answer tokens; answers of at most ${countText(identity.subject.maxAnswerTokens)} tokens${identity.subject.temperature === null ? "" : `, temperature ${identity.subject.temperature}`}${identity.subject.system === null ? "" : ", under a system prompt"}.</p>
<p class="quiet">Intervals are for one look at a number of data fixed beforehand. A persona is named by the rules of Candor's detector and at its thresholds.</p></section>`;

export const reportPage = (result: AuditResult, baseline: Baseline | null): string =>
  `<!doctype html>\n${
    markup`<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Audit of ${result.identity.subject.model}</title>
<style>${{ markup: style }}</style></head>
<body><main>
${head(result)}
${plots(result, baseline)}
${comparisonTable(result)}
${figureTable(result.figures)}
${foot(result)}
</main></body></html>
`.markup
  }`;
