/** What the configuration says is running as a subject, and whether the log's baseline is still one of that. */
import type { Epoch } from "../evidence/entry.ts";
import { canonicalJson } from "../kernel/canonical-json.ts";
import type { DetectorSettings } from "../persona/verdict.ts";

export interface DeclaredSubject {
  id: string;
  detector: DetectorSettings;
  /** What is declared to be running: model, judge, probe set. A change of any of these starts an epoch. */
  versions: Record<string, string>;
}

/** Names of the fields in which two flat or nested records differ, as `calibration.harm`. */
const differences = (one: object, other: object, path = ""): string[] => {
  const before = new Map<string, unknown>(Object.entries(one));
  const after = new Map<string, unknown>(Object.entries(other));
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    if (canonicalJson(was) === canonicalJson(is)) return [];
    const bothRecords = typeof was === "object" && typeof is === "object" && was !== null && is !== null;
    if (bothRecords) return differences(was, is, `${path}${name}.`);
    return [`${path}${name} ${canonicalJson(was)} -> ${canonicalJson(is)}`];
  });
};

/** Why a new baseline is needed; null when the one in the log goes on. */
export const reasonForEpoch = (epoch: Epoch | null, declared: DeclaredSubject): string | null => {
  if (epoch === null) return "first start";
  const changes = [
    ...differences(epoch.versions, declared.versions, "versions."),
    ...differences(epoch.detector, declared.detector, "detector."),
  ];
  return changes.length === 0 ? null : `declared settings changed: ${changes.join("; ")}`;
};
