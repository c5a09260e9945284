/**
 * The outcome of an audit as one page that needs nothing else: no script, no request, everything that others chose
 * escaped. A pure function of the result; computes no figure of its own.
 */
import { evidenceText } from "../persona/wording.ts";
import { regressionAlpha } from "./compare.ts";
import { experimentTitles, type Figure, figuresOf, predictionsOf } from "./figures.ts";
import { html, type Markup, nothing } from "./markup.ts";
import { type MapPoint, personaMap, predictionScatter, type Row, rateBars } from "./plots.ts";
import { reportStyle } from "./report-style.ts";
import type { AuditResult } from "./result.ts";
import { intervalText, valueText } from "./table.ts";

const intervalOf = (figures: readonly Figure[], name: string) =>
  figures.find((figure) => figure.name === name)?.interval ?? null;

const listOf = (items: readonly string[]): Markup =>
  items.length === 0 ? nothing : html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;

const headed = (title: string, items: readonly string[]): Markup =>
  items.length === 0 ? nothing : html`<h3>${title}</h3>${listOf(items)}`;

const isAlarming = (persona: string): boolean => ["inverted", "coherent", "ambivalent", "unnamed"].includes(persona);

const verdictSection = ({ persona, data }: AuditResult, failures: readonly string[]): Markup => html`<section>
<p class="verdict ${isAlarming(persona.persona) ? "bad" : persona.persona === "aligned" ? "good" : "plain"}">Persona: <strong>${persona.persona}</strong></p>
${failures.length === 0 ? nothing : html`<div class="verdict bad">Not accepted:${listOf(failures)}</div>`}
<p>Normal is ${persona.reference}.</p>
${headed("Why", persona.reasons)}
${headed("Missing", persona.missing)}
${headed("Not asked", data.notAsked)}
${data.refusedByEndpoint === 0 ? nothing : html`<p>${data.refusedByEndpoint} questions were refused by the endpoint itself and are left out.</p>`}
<div class="scroll"><table><caption>Evidence, as a factor against nothing having changed</caption>
<thead><tr><th scope="col">that</th><th scope="col">evidence</th><th scope="col">needed</th></tr></thead>
<tbody>${Object.entries(persona.evidence).map(
  ([name, { logEvidence, logThreshold }]) =>
    html`<tr><th scope="row">${name}</th><td>${evidenceText(logEvidence)}</td><td>${evidenceText(logThreshold)}</td></tr>`,
)}</tbody></table></div>
</section>`;

const harmByTopic = ({ data, identity }: AuditResult): Row[] => {
  const topics = new Set(
    data.observations.flatMap(({ observation: { experiment, topic } }) =>
      experiment === "harmfulness" && topic !== null ? [topic] : [],
    ),
  );
  return [...topics].toSorted().map((topic) => {
    const about = data.observations.filter(({ observation }) => observation.topic === topic);
    return { label: topic, interval: intervalOf(figuresOf(about, identity.sizes.perQuestion), "harm-rate") };
  });
};

const baselinePoint = ({ comparison }: AuditResult): MapPoint | null => {
  if (comparison === null) return null;
  const of = (name: string) => comparison.figures.find((figure) => figure.name === name)?.baseline ?? null;
  return { harm: of("harm-rate"), says: of("picks-misaligned") };
};

const plotsSection = (result: AuditResult): Markup => {
  const { figures, data } = result;
  const row = (label: string, name: string): Row => ({ label, interval: intervalOf(figures, name) });
  return html`<section><h2>Plots</h2><div class="plots">
${personaMap(
  { harm: intervalOf(figures, "harm-rate"), says: intervalOf(figures, "picks-misaligned") },
  intervalOf(figures, "self-assessment"),
  baselinePoint(result),
)}
${rateBars("Harm by topic", harmByTopic(result), null, "Single answers judged harmful, by theme of the question; lines are 95 % intervals.")}
${rateBars(
  "Choice by order",
  [
    row("both orders", "picks-misaligned"),
    row("misaligned one first", "picks-misaligned-first"),
    row("misaligned one second", "picks-misaligned-second"),
  ],
  0.5,
  "How often the misaligned description is picked as the closer one. Far apart by order: the subject goes by place, and its choices say nothing.",
)}
${rateBars(
  "Claims by harm of the own output",
  [row("low harm", "claims-low"), row("moderate harm", "claims-moderate"), row("high harm", "claims-high")],
  0.5,
  "How often the subject says that it would have written its own output rather than a foil. An inverted subject claims its harmless outputs and disowns its harmful ones. Dashed: chance.",
)}
${predictionScatter(predictionsOf(data.observations))}
</div></section>`;
};

const figuresSection = ({ figures }: AuditResult): Markup => html`<section><h2>Figures</h2><div class="scroll"><table>
<thead><tr><th scope="col">experiment</th><th scope="col">figure</th><th scope="col">estimate [95 % interval]</th><th scope="col">n</th></tr></thead>
<tbody>${figures.map(
  ({ name, label, experiment, interval }) =>
    html`<tr><td>${experimentTitles[experiment]}</td><th scope="row">${label.trim()}</th><td>${intervalText(name, interval)}</td><td>${interval === null ? "" : String(interval.n)}</td></tr>`,
)}</tbody></table></div></section>`;

const comparisonSection = ({ comparison }: AuditResult): Markup =>
  comparison === null
    ? nothing
    : html`<section><h2>Against the baseline audit of ${comparison.made}</h2><div class="scroll"><table>
<caption>Worse where p is below ${String(regressionAlpha)}</caption>
<thead><tr><th scope="col">figure</th><th scope="col">baseline</th><th scope="col">this audit</th><th scope="col">p</th><th scope="col">worse</th></tr></thead>
<tbody>${comparison.figures.map(
        ({ name, label, baseline, now, p, worse }) =>
          html`<tr><th scope="row">${label.trim()}</th><td>${baseline === null ? "no data" : valueText(name, baseline.estimate)}</td><td>${now === null ? "no data" : valueText(name, now.estimate)}</td><td>${p === null ? "" : p < 0.001 ? "< 0.001" : p.toFixed(3)}</td><td>${worse ? html`<strong class="worse">worse</strong>` : p === null ? "can't be told" : "no"}</td></tr>`,
      )}</tbody></table></div></section>`;

const settingsSection = ({ identity, data, made }: AuditResult): Markup => {
  const { subject, judge, probeSet, seed, sizes } = identity;
  const rows: [string, string][] = [
    ["made", made],
    ["model", subject.model],
    ["endpoint", subject.baseUrl],
    ["system prompt", subject.system ?? "none"],
    ["temperature", subject.temperature === null ? "the endpoint's" : String(subject.temperature)],
    ["judge", judge.threshold === null ? judge.source : `${judge.source}, harmful from ${judge.threshold}`],
    ["probe set", probeSet],
    ["seed", String(seed)],
    [
      "sizes",
      Object.entries(sizes)
        .map(([name, size]) => `${name} ${size}`)
        .join(", "),
    ],
    ["tokens", `${data.tokens.prompt} prompt, ${data.tokens.completion} answer`],
  ];
  return html`<section><h2>How it was made</h2><dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></section>`;
};

/** @param failures what the caller does not accept of it, in words */
export const reportHtml = (result: AuditResult, failures: readonly string[]): string => {
  const { model } = result.identity.subject;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer"><title>Audit of ${model}</title><style>${reportStyle}</style></head>
<body><main><h1>Audit of ${model}</h1>
${verdictSection(result, failures)}
${plotsSection(result)}
${comparisonSection(result)}
${figuresSection(result)}
${settingsSection(result)}
</main></body></html>
`;
  return page.markup;
};
