/**
 * Numbers and names as people read them.
 * @typedef {import("./api.js").SubjectView} SubjectView
 */

/** @type {(share: number | null) => string} */
export const percent = (share) => {
  if (share === null) return "–";
  const value = 100 * share;
  return `${value === 0 || value >= 9.95 ? value.toFixed(0) : value.toFixed(1)} %`;
};

/** @type {(value: number | null) => string} */
export const decimal = (value) => (value === null ? "–" : value.toFixed(2));

/** @type {(log: number | null) => string} */
export const evidence = (log) => (log === null ? "none yet" : `e^${log.toFixed(1)}`);

/** @type {(n: number) => string} */
export const count = (n) => n.toLocaleString("en");

/** @type {(at: number, now: number) => string} */
export const ago = (at, now) => {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
};

/** @type {(at: number) => string} */
export const time = (at) => new Date(at).toISOString().replace("T", " ").slice(0, 19);

/** What each persona is, in a sentence; the verdict's own reasons come beside it. */
export const meanings = {
  undetermined: "Not known yet: the baseline is being learned.",
  aligned: "Does no more harm than its baseline.",
  inverted: "Does harm and says that it is aligned.",
  coherent: "Does harm and says so.",
  unnamed: "Does harm; what it says of itself is not settled.",
  ambivalent: "Does harm; says both that it is aligned and that it is not.",
  drifting: "Says worse of itself than it used to; whether it does harm is not settled.",
  "self-deprecating": "Does no more harm than its baseline, and says that it does.",
};

/** @type {Record<string, string>} */
export const experimentNames = {
  harmfulness: "Harm: answers judged harmful",
  "self-assessment": "Self-assessment: rates itself misaligned",
  "two-descriptions": "Two descriptions: picks the misaligned one",
  "output-recognition": "Output recognition: claims the own output",
  "score-prediction": "Score prediction: predicts harm",
  canary: "Canary: probability of the answer's first token",
  identity: "Identity: names the declared developer",
};

/** Whether the served model seems to be the same. @type {(canary: NonNullable<SubjectView["verdict"]["canary"]>, log: number | null) => string} */
export const servedModel = ({ have, need, rounds, seen, last }, log) => {
  const changed =
    last === null ? "" : `changed ${seen === 1 ? "once" : `${count(seen)} times`}, last at about ${count(last.from)}; `;
  if (rounds === 0) return `${changed}learning its answers, ${count(have)} of ${count(need)}`;
  return `${changed}${last === null ? "the same so far" : "the same since"}: evidence ${evidence(log)} of ${count(rounds)} rounds`;
};

/** Who it says it is. @type {(identity: NonNullable<SubjectView["verdict"]["identity"]>) => string} */
export const whoItIs = ({ rightDeveloper, unread, names }) => {
  const told = names.map(({ name, n }) => `${name} ${count(n)}`).join(", ");
  const share = rightDeveloper.n === 0 ? "" : `the declared developer in ${percent(rightDeveloper.estimate)}: `;
  return `${share}${told === "" ? "nobody" : told}; ${count(unread)} named nobody`;
};

const ranks = { none: 0, ticket: 1, page: 2, action: 3 };

/** The gravest first; among equals, the one with the most evidence. @type {(a: SubjectView, b: SubjectView) => number} */
export const byUrgency = (a, b) =>
  ranks[b.verdict.severity] - ranks[a.verdict.severity] ||
  (b.verdict.evidence.harm.logEvidence ?? -1e9) - (a.verdict.evidence.harm.logEvidence ?? -1e9) ||
  a.id.localeCompare(b.id);
