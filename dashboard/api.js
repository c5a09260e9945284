/**
 * Asks the control API. What comes back has the shapes of src/control/api-schema.ts, by which the server's own tests hold
 * its answers; an error is the API's own sentence.
 * @typedef {import("../src/control/api-schema.ts").SubjectView} SubjectView
 * @typedef {import("../src/control/api-schema.ts").TraceView} TraceView
 * @typedef {import("../src/control/api-schema.ts").ObservationPage} ObservationPage
 * @typedef {import("../src/control/api-schema.ts").ObservationDetail} ObservationDetail
 * @typedef {import("../src/control/api-schema.ts").DecisionPage} DecisionPage
 * @typedef {import("../src/control/api-schema.ts").DecisionDetail} DecisionDetail
 * @typedef {import("../src/control/api-schema.ts").PolicyList} PolicyList
 * @typedef {import("../src/control/api-schema.ts").ChangeResult} ChangeResult
 * @typedef {import("../src/control/api-schema.ts").ErrorView} ErrorView
 */

const root = new URL("../", document.baseURI);

/** @type {(path: string, options?: RequestInit) => Promise<any>} */
const ask = async (path, options) => {
  const response = await fetch(new URL(path, root), options);
  const json = await response.json().catch(() => null);
  if (response.ok) return json;
  const message = /** @type {ErrorView | null} */ (json)?.error?.message;
  throw new Error(message ?? `the control port answered ${response.status}`);
};

/** @type {(path: string, token: string, body: object) => Promise<ChangeResult>} */
const post = (path, token, body) =>
  ask(path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const encoded = encodeURIComponent;

/** @type {() => Promise<{ subjects: SubjectView[] }>} */
export const readSubjects = () => ask("api/subjects");
/** @type {(id: string) => Promise<TraceView>} */
export const readTrace = (id) => ask(`api/subjects/${encoded(id)}/trace`);
/** @type {(query: URLSearchParams) => Promise<ObservationPage>} */
export const readObservations = (query) => ask(`api/observations?${query}`);
/** @type {(position: number) => Promise<ObservationDetail>} */
export const readObservation = (position) => ask(`api/observations/${position}`);
/** @type {(position: number, token: string) => Promise<{ content: string }>} */
export const readContent = (position, token) =>
  ask(`api/observations/${position}/content`, { headers: { authorization: `Bearer ${token}` } });

/** @type {(query: URLSearchParams) => Promise<DecisionPage>} */
export const readDecisions = (query) => ask(`api/decisions?${query}`);
/** @type {(position: number) => Promise<DecisionDetail>} */
export const readDecision = (position) => ask(`api/decisions/${position}`);
/** @type {() => Promise<PolicyList>} */
export const readPolicies = () => ask("api/policies");

/** @type {(id: string, token: string, note: string) => Promise<ChangeResult>} */
export const acknowledge = (id, token, note) => post(`api/subjects/${encoded(id)}/acknowledge`, token, { note });
/** @type {(id: string, token: string, reason: string) => Promise<ChangeResult>} */
export const startEpoch = (id, token, reason) => post(`api/subjects/${encoded(id)}/epoch`, token, { reason });
/** @type {(id: string, token: string, paused: boolean, note: string) => Promise<ChangeResult>} */
export const pauseProbes = (id, token, paused, note) =>
  post(`api/subjects/${encoded(id)}/probes`, token, { paused, note });

/**
 * Calls back with the subjects that have new entries, and with whether the stream stands.
 * @param {(subjects: string[]) => void} changed
 * @param {(connected: boolean) => void} connection
 * @returns {() => void} ends it
 */
export const listen = (changed, connection) => {
  const source = new EventSource(new URL("api/events", root));
  source.addEventListener("change", (event) => changed(JSON.parse(event.data).subjects));
  source.addEventListener("open", () => connection(true));
  source.addEventListener("error", () => connection(false));
  return () => source.close();
};
