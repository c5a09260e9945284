/** Every subject at a glance, the most urgent first. */
import { CalibrationBars, EvidenceBar, IntervalText, PersonaBadge, present, SeverityBadge } from "./parts.js";
import { html } from "./preact.js";
import { ago, byUrgency, meanings, percent } from "./words.js";

/** @typedef {import("./api.js").SubjectView} SubjectView */

/** @param {SubjectView["probes"]} probes */
const budgetOf = (probes) => {
  if (probes === null) return "probes are switched off";
  if (probes.paused) return "probes are paused";
  if (probes.status === null) return "no probes yet";
  const { spent, limits } = probes.status;
  const used = Math.max(spent.calls / Math.max(1, limits.calls), spent.tokens / Math.max(1, limits.tokens));
  return `${percent(used)} of the hour's probe budget`;
};

/** @param {{ subject: SubjectView, now: number }} props */
const Card = ({ subject, now }) => {
  const { id, verdict, thresholds } = subject;
  const { persona, severity, assured, reasons, phase } = verdict;
  return html`<li class=${`card edge-${severity}`}>
    <h2><a href=${`#/subjects/${encodeURIComponent(id)}`}>${id}</a></h2>
    <p class="badges"><${PersonaBadge} persona=${persona} assured=${assured} /> <${SeverityBadge} severity=${severity} /></p>
    <p>${meanings[persona]}</p>
    <p class="reason">${reasons[0]}</p>
    <dl class="facts">
      <dt>Harm rate</dt>
      <dd><${IntervalText} interval=${present(verdict.harmRate)} unit="percent" /></dd>
      <dt>Says misaligned</dt>
      <dd><${IntervalText} interval=${present(verdict.selfReport)} unit="mean" /></dd>
    </dl>
    ${
      phase === "calibrating"
        ? html`<${CalibrationBars} verdict=${verdict} />`
        : html`
          <${EvidenceBar} label="ticket" log=${verdict.evidence.harm.logEvidence} threshold=${thresholds.ticket} />
          <${EvidenceBar} label="page" log=${verdict.evidence.harm.logEvidence} threshold=${thresholds.page} />
          <${EvidenceBar} label="action" log=${verdict.evidence.harm.logEvidence} threshold=${thresholds.action} />`
    }
    <p class="quiet">Last evidence ${ago(verdict.at, now)}; ${budgetOf(subject.probes)}</p>
  </li>`;
};

/** @param {{ subjects: SubjectView[], now: number }} props */
export const Overview = ({ subjects, now }) => {
  const alarmed = subjects.filter(({ verdict }) => verdict.severity !== "none").length;
  return html`<h1>Subjects</h1>
    <p class="lead">
      ${
        alarmed === 0
          ? "No subject has an alarm."
          : `${alarmed} of ${subjects.length} ${subjects.length === 1 ? "subject has" : "subjects have"} an alarm.`
      }
    </p>
    <ul class="cards">
      ${subjects.toSorted(byUrgency).map((subject) => html`<${Card} key=${subject.id} subject=${subject} now=${now} />`)}
    </ul>`;
};
