/** The page: what is shown, by the part of the address behind the hash, and kept up to date as the log grows. */
import { listen, readSubjects } from "./api.js";
import { DecisionsPage } from "./decisions.js";
import { EvidencePage } from "./evidence.js";
import { Overview } from "./overview.js";
import { ErrorNote } from "./parts.js";
import { html, render, useEffect, useRef, useState } from "./preact.js";
import { SubjectPage } from "./subject.js";

/** @typedef {import("./api.js").SubjectView} SubjectView */

/** As it is where it can't be decoded: somebody may have typed it. @param {string} part */
const decoded = (part) => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

const readRoute = () => {
  const [path = "", query = ""] = location.hash.replace(/^#/, "").split("?");
  const [, view = "", id = ""] = path.split("/");
  return { view, id: decoded(id), query: new URLSearchParams(query) };
};

const useRoute = () => {
  const [route, setRoute] = useState(readRoute);
  useEffect(() => {
    const changed = () => {
      setRoute(readRoute());
      scrollTo(0, 0);
      // Screen readers begin the new view at its beginning.
      document.querySelector("main")?.focus();
    };
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
};

/** Milliseconds between two readings, whatever the log does. */
const restMs = 1_000;

/** All subjects, read again when the log grows. */
const useSubjects = () => {
  const [subjects, setSubjects] = useState(/** @type {SubjectView[] | null} */ (null));
  const [error, setError] = useState("");
  const [connected, setConnected] = useState(true);
  const [version, setVersion] = useState(0);
  const reading = useRef({ busy: false, again: false });
  const read = async () => {
    if (reading.current.busy) {
      reading.current.again = true;
      return;
    }
    reading.current.busy = true;
    try {
      setSubjects((await readSubjects()).subjects);
      setError("");
      setVersion((count) => count + 1);
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
    setTimeout(() => {
      const { again } = reading.current;
      reading.current = { busy: false, again: false };
      if (again) read();
    }, restMs);
  };
  useEffect(() => {
    read();
    return listen(read, (stands) => {
      setConnected(stands);
      // What happened while nobody listened is not told again.
      if (stands) read();
    });
  }, []);
  return { subjects, error, connected, version, read };
};

/** The clock that "ago" is counted from. */
const useNow = () => {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, []);
  return now;
};

/** What changed since the last reading, for those who can't see it. @param {SubjectView[] | null} subjects */
const useNews = (subjects) => {
  const known = useRef(/** @type {Map<string, string>} */ (new Map()));
  const [news, setNews] = useState("");
  useEffect(() => {
    for (const { id, verdict } of subjects ?? []) {
      const state = `${verdict.persona}, ${verdict.severity === "none" ? "no alarm" : verdict.severity}`;
      const before = known.current.get(id);
      if (before !== undefined && before !== state) setNews(`${id}: ${state}`);
      known.current.set(id, state);
    }
  }, [subjects]);
  return news;
};

/** @param {{ route: ReturnType<typeof readRoute>, subjects: SubjectView[], now: number, version: number, read: () => void }} props */
const View = ({ route: { view, id, query }, subjects, now, version, read }) => {
  if (view === "subjects") {
    const subject = subjects.find((one) => one.id === id);
    return subject === undefined
      ? html`<${ErrorNote} error=${`There is no subject "${id}".`} />`
      : html`<${SubjectPage} key=${id} subject=${subject} now=${now} changed=${read} />`;
  }
  if (view === "evidence" || view === "decisions") {
    const go = (/** @type {URLSearchParams} */ next) => {
      location.hash = `#/${view}?${next}`;
    };
    const Page = view === "evidence" ? EvidencePage : DecisionsPage;
    return html`<${Page} key=${view} query=${query} subjects=${subjects.map((one) => one.id)} go=${go} version=${version} />`;
  }
  return html`<${Overview} subjects=${subjects} now=${now} />`;
};

const App = () => {
  const route = useRoute();
  const { subjects, error, connected, version, read } = useSubjects();
  const now = useNow();
  const news = useNews(subjects);
  useEffect(() => {
    const alarms = (subjects ?? []).filter(({ verdict }) => verdict.severity !== "none").length;
    document.title = alarms === 0 ? "Candor" : `(${alarms}) Candor`;
  }, [subjects]);
  const current = (/** @type {boolean} */ here) => (here ? "page" : undefined);
  return html`
    <a class="skip" href="#main" onClick=${(/** @type {Event} */ event) => {
      event.preventDefault();
      document.querySelector("main")?.focus();
    }}>To the content</a>
    <header class="top">
      <strong>Candor</strong>
      <nav aria-label="Views">
        <a href="#/" aria-current=${current(route.view === "" || route.view === "subjects")}>Subjects</a>
        <a href="#/evidence" aria-current=${current(route.view === "evidence")}>Evidence</a>
        <a href="#/decisions" aria-current=${current(route.view === "decisions")}>Decisions</a>
      </nav>
      <span class=${connected ? "live" : "live off"} role="status">${connected ? "live" : "not connected, trying again"}</span>
    </header>
    <main id="main" tabindex="-1">
      ${error !== "" && html`<${ErrorNote} error=${`Can't read from Candor: ${error}`} />`}
      ${subjects === null ? html`<p>${error === "" ? "Reading…" : ""}</p>` : html`<${View} route=${route} subjects=${subjects} now=${now} version=${version} read=${read} />`}
    </main>
    <div class="unseen" aria-live="assertive">${news}</div>`;
};

const place = document.getElementById("app");
if (place !== null) {
  place.replaceChildren();
  render(html`<${App} />`, place);
}
