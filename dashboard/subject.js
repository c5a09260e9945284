/** One subject: why the verdict is what it is, and what can be done about it. */
import { Acts } from "./acts.js";
import { readTrace } from "./api.js";
import { Arms, Comparison } from "./comparison.js";
import { EvidencePlot } from "./evidence-plot.js";
import {
  CalibrationBars,
  ErrorNote,
  EvidenceBar,
  IntervalText,
  PersonaBadge,
  present,
  SeverityBadge,
} from "./parts.js";
import { PersonaMap } from "./persona-map.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { ago, count, decimal, evidence, meanings, percent, servedModel, whoItIs } from "./words.js";

/** @typedef {import("./api.js").SubjectView} SubjectView */
/** @typedef {import("./api.js").TraceView} TraceView */

/** The trace follows the verdict, one reading at a time. @param {string} id @param {number} position */
const useTrace = (id, position) => {
  const [trace, setTrace] = useState(/** @type {TraceView | null} */ (null));
  const [error, setError] = useState("");
  const wanted = useRef(position);
  const reading = useRef(false);
  const shown = useRef(true);
  const read = async () => {
    reading.current = true;
    const at = wanted.current;
    try {
      const newest = await readTrace(id);
      if (shown.current) setTrace(newest);
      setError("");
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
    reading.current = false;
    if (shown.current && wanted.current !== at) read();
  };
  useEffect(() => {
    wanted.current = position;
    if (!reading.current) read();
  }, [position]);
  useEffect(
    () => () => {
      shown.current = false;
    },
    [],
  );
  return { trace, error };
};

const reading = html`<p class="quiet">Reading…</p>`;

/** @param {SubjectView} subject */
const highestNull = ({ verdict }) => Math.max(0, ...verdict.baseline.map(({ nullMean }) => nullMean));

/** @param {{ subject: SubjectView }} props */
const Divergence = ({ subject: { verdict } }) => {
  const [live, probe] = [verdict.evidence["harm-live"], verdict.evidence["harm-probe"]];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Evidence of live answers and probes"><table>
    <thead><tr><th scope="col">Where harm is seen</th><th scope="col" class="number">Evidence</th><th scope="col" class="number">Threshold</th></tr></thead>
    <tbody>
      <tr><th scope="row">live answers to the app</th><td class="number">${evidence(live.logEvidence)}</td><td class="number">${evidence(live.logThreshold)}</td></tr>
      <tr><th scope="row">answers to hidden probes</th><td class="number">${evidence(probe.logEvidence)}</td><td class="number">${evidence(probe.logThreshold)}</td></tr>
    </tbody>
  </table></div>
  <p class="quiet">Both up: the model changed. Live alone: a wave in the traffic, a narrow trigger, or probes that are recognised.</p>`;
};

/** Several processes in front of one model: which of them sees harm. @param {{ subject: SubjectView }} props */
const Replicas = ({ subject: { verdict } }) =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="Harm by replica"><table>
    <thead><tr><th scope="col">Replica</th><th scope="col" class="number">Harmful</th><th scope="col" class="number">Evidence</th><th scope="col" class="number">Threshold</th></tr></thead>
    <tbody>${verdict.replicas
      .toSorted((a, b) => (b.evidence.logEvidence ?? 0) - (a.evidence.logEvidence ?? 0))
      .map(
        ({ name, rate, evidence: { logEvidence, logThreshold } }) => html`<tr key=${name}>
          <th scope="row">${name}${verdict.where?.replica === name && " (most)"}</th>
          <td class="number"><${IntervalText} interval=${rate} unit="percent" /></td>
          <td class="number">${evidence(logEvidence)}</td><td class="number">${evidence(logThreshold)}</td>
        </tr>`,
      )}</tbody>
  </table></div>
  <p class="quiet">Since the epoch began; each is held against the baseline of all.</p>`;

const localNote = html`<p class="note" role="status">The shared log can't be reached. This rests on what all replicas saw until then, and on what this
  one alone has seen since.</p>`;

/** @param {{ subject: SubjectView, now: number }} props */
const ProbeFacts = ({ subject: { probes }, now }) => {
  if (probes === null) return html`<p>Switched off in the configuration: no persona can be named.</p>`;
  const { status, paused, perHour } = probes;
  if (status === null) return html`<p>None yet.</p>`;
  const { spent, limits, day, backingOff, banked, lastAnswerAt } = status;
  return html`<dl class="facts">
    <dt>State</dt><dd>${paused ? "paused by an operator" : status.running ? `running, ${perHour} an hour once the baseline is known` : "stopped"}</dd>
    <dt>Calls in the last hour</dt><dd>${count(spent.calls)} of ${count(limits.calls)}</dd>
    <dt>Tokens in the last hour</dt><dd>${count(spent.tokens)} of ${count(limits.tokens)}</dd>
    <dt>Calls in the last day</dt><dd>${count(day.spent.calls)} of ${count(day.limits.calls)}</dd>
    <dt>Tokens in the last day</dt><dd>${count(day.spent.tokens)} of ${count(day.limits.tokens)}</dd>
    <dt>Last answer</dt><dd>${lastAnswerAt === null ? "none yet" : ago(lastAnswerAt, now)}</dd>
    <dt>Backing off</dt><dd>${backingOff.length === 0 ? "no" : backingOff.join(", ")}</dd>
    <dt>Own outputs remembered</dt><dd>low ${banked.low}, moderate ${banked.moderate}, high ${banked.high}</dd>
  </dl>`;
};

/** @param {{ subject: SubjectView, now: number, changed: () => void }} props */
export const SubjectPage = ({ subject, now, changed }) => {
  const { id, verdict, thresholds } = subject;
  const { trace, error } = useTrace(id, verdict.position);
  const { harm } = verdict.evidence;
  const sensitivity = verdict.contentSensitivity;
  return html`
    <nav aria-label="Where you are"><a href="#/">Subjects</a> / ${id}</nav>
    <header class="subject-head">
      <h1>${id}</h1>
      <p class="badges"><${PersonaBadge} persona=${verdict.persona} assured=${verdict.assured} /> <${SeverityBadge} severity=${verdict.severity} /></p>
    </header>
    <p class="lead">${meanings[verdict.persona]} <span class="quiet">Models ${subject.models.join(", ")}; last evidence ${ago(verdict.at, now)}.</span></p>
    ${subject.scope === "local" && localNote}
    <${Acts} subject=${subject} changed=${changed} />
    ${error !== "" && html`<${ErrorNote} error=${error} />`}

    <section class="panel" aria-labelledby="why">
      <h2 id="why">Why</h2>
      <ul class="reasons">${verdict.reasons.map((reason) => html`<li key=${reason}>${reason}</li>`)}</ul>
      ${
        verdict.missing.length > 0 &&
        html`<h3>What is missing to say more</h3>
          <ul class="reasons">${verdict.missing.map((line) => html`<li key=${line}>${line}</li>`)}</ul>`
      }
      ${
        verdict.phase === "calibrating"
          ? html`<${CalibrationBars} verdict=${verdict} />`
          : html`<${EvidenceBar} label="ticket" log=${harm.logEvidence} threshold=${thresholds.ticket} />
            <${EvidenceBar} label="page" log=${harm.logEvidence} threshold=${thresholds.page} />
            <${EvidenceBar} label="action" log=${harm.logEvidence} threshold=${thresholds.action} />`
      }
      <dl class="facts">
        <dt>Harm rate</dt><dd><${IntervalText} interval=${present(verdict.harmRate)} unit="percent" /></dd>
        <dt>Baseline, at most</dt><dd>${verdict.baseline.length === 0 ? "being learned" : percent(highestNull(subject))}</dd>
        <dt>Says misaligned</dt><dd><${IntervalText} interval=${present(verdict.selfReport)} unit="mean" /></dd>
        <dt>Choices follow content</dt><dd>${sensitivity === null ? "not known yet" : `${sensitivity.sufficient ? "yes" : "no: they follow the place"}, sensitivity ${decimal(sensitivity.sensitivity)}`}</dd>
        <dt>Questions about itself unanswered</dt><dd>${percent(verdict.unansweredRate)}</dd>
        ${verdict.canary !== null && html`<dt>Served model</dt><dd>${servedModel(verdict.canary, verdict.evidence.canary.logEvidence)}</dd>`}
        ${verdict.identity !== null && html`<dt>Says it was made by</dt><dd>${whoItIs(verdict.identity)}</dd>`}
      </dl>
    </section>

    <section class="panel" aria-labelledby="map"><h2 id="map">Persona map</h2>${trace === null ? reading : html`<${PersonaMap} points=${trace.points} nullMean=${highestNull(subject)} />`}</section>
    <section class="panel" aria-labelledby="over-time"><h2 id="over-time">Evidence over time</h2>
      ${trace === null ? reading : html`<${EvidencePlot} points=${trace.points} thresholds=${thresholds} changePoint=${verdict.changePoint} />`}
    </section>
    <section class="panel" aria-labelledby="experiments"><h2 id="experiments">Experiments, baseline beside now</h2>
      <${Comparison} compared=${trace?.compared ?? []} changePoint=${verdict.changePoint} />
      <details><summary>Counts by arm and outcome, since the epoch began</summary><${Arms} summary=${subject.summary} /></details>
    </section>
    <section class="panel" aria-labelledby="divergence"><h2 id="divergence">Live answers and probes</h2><${Divergence} subject=${subject} /></section>
    ${
      verdict.replicas.length > 0 &&
      html`<section class="panel" aria-labelledby="replicas"><h2 id="replicas">Replicas</h2><${Replicas} subject=${subject} /></section>`
    }
    <section class="panel" aria-labelledby="probes"><h2 id="probes">Probes</h2><${ProbeFacts} subject=${subject} now=${now} /></section>
    <p><a href=${`#/evidence?subject=${encodeURIComponent(id)}`}>All evidence of ${id}</a></p>`;
};
