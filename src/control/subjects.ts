/** What the control API reads about subjects, and how it shows one. */
import type { Subject } from "../config/schema.ts";
import { type FleetStanding, fleetStandings } from "../persona/persona.ts";
import type { Ledger } from "../watch/ledger.ts";
import { ApiError } from "./api-error.ts";
import type { ProbeStatus, SubjectView } from "./api-schema.ts";
import { viewFleet, viewVerdict } from "./verdict-view.ts";

export type WatchedSubject = Pick<Subject, "id" | "models" | "route" | "live"> & {
  probes: Pick<Subject["probes"], "enabled" | "perHour">;
};

/** What is known of subjects beside their configuration. */
export interface SubjectState
  extends Pick<Ledger, "verdict" | "verdictAt" | "scope" | "experiments" | "probesPaused" | "thresholds"> {
  /** Null while nothing probes this subject. */
  probes(subject: string): ProbeStatus | null;
}

export interface Subjects {
  all(): SubjectView[];
  /** Throws a 404 that names the parameter at fault and lists the ids there are. */
  find(id: string, param?: string): SubjectView;
}

const logarithms = ({ ticket, page, action }: SubjectView["thresholds"]): SubjectView["thresholds"] => ({
  ticket: Math.log(ticket),
  page: Math.log(page),
  action: Math.log(action),
});

/** @param subjects those that are watched now */
export const createSubjects = (subjects: () => readonly WatchedSubject[], state: SubjectState): Subjects => {
  const standings = (): Map<string, FleetStanding> =>
    fleetStandings(
      subjects().map(({ id }) => ({
        id,
        logEvidence: state.verdict(id).evidence.harm.logEvidence,
        thresholds: state.thresholds(id),
      })),
    );
  const view = (
    { id, models, route, live, probes }: WatchedSubject,
    fleet: Map<string, FleetStanding>,
  ): SubjectView => ({
    id,
    models,
    route: route ?? null,
    verdict: viewVerdict(state.verdict(id), state.verdictAt(id)),
    scope: state.scope(),
    summary: state.experiments(id),
    probes: probes.enabled
      ? { perHour: probes.perHour, paused: state.probesPaused(id), status: state.probes(id) }
      : null,
    thresholds: logarithms(state.thresholds(id)),
    fleet: viewFleet(fleet, id),
    live: { sampleRate: live.sampleRate, maxPerHour: live.maxPerHour },
  });
  return {
    all() {
      const fleet = standings();
      return subjects().map((subject) => view(subject, fleet));
    },
    find(id, param = "id") {
      const all = subjects();
      const subject = all.find((candidate) => candidate.id === id);
      if (subject === undefined) {
        throw new ApiError("not_found", `no such subject; there are: ${all.map((s) => s.id).join(", ")}`, param);
      }
      return view(subject, standings());
    },
  };
};
