/** What the control API reads about subjects, and how it shows one. */
import type { Subject } from "../config/schema.ts";
import type { Verdict } from "../persona/verdict.ts";
import { ApiError } from "./api-error.ts";
import type { ExperimentSummary, ProbeStatus, SubjectView } from "./api-schema.ts";
import { viewVerdict } from "./verdict-view.ts";

export type WatchedSubject = Pick<Subject, "id" | "models" | "route" | "live"> & {
  probes: Pick<Subject["probes"], "enabled" | "perHour">;
};

/** Never rejects or throws for a configured subject. */
export interface SubjectState {
  verdict(subject: string): Verdict;
  /** Wall clock, milliseconds since 1970, of the last datum in the verdict; null before the first. */
  verdictAt(subject: string): number | null;
  summary(subject: string): ExperimentSummary;
  /** Null while nothing probes this subject. */
  probes(subject: string): ProbeStatus | null;
}

export interface Subjects {
  all(): SubjectView[];
  /** Throws a 404 that names the parameter at fault and lists the ids there are. */
  find(id: string, param?: string): SubjectView;
}

export const createSubjects = (subjects: readonly WatchedSubject[], state: SubjectState): Subjects => {
  const view = ({ id, models, route, live, probes }: WatchedSubject): SubjectView => ({
    id,
    models,
    route: route ?? null,
    verdict: viewVerdict(state.verdict(id), state.verdictAt(id)),
    summary: state.summary(id),
    probes: probes.enabled ? { perHour: probes.perHour, status: state.probes(id) } : null,
    live: { sampleRate: live.sampleRate, maxPerHour: live.maxPerHour },
  });
  return {
    all: () => subjects.map(view),
    find(id, param = "id") {
      const subject = subjects.find((candidate) => candidate.id === id);
      if (subject === undefined) {
        throw new ApiError("not_found", `no such subject; there are: ${subjects.map((s) => s.id).join(", ")}`, param);
      }
      return view(subject);
    },
  };
};
