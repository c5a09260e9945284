/** Reads a probe set from a YAML file, or from all YAML files of a folder together. Nothing else of the probes does I/O on files. */
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import { configError, readYaml, validate, yamlFilesIn } from "../config/yaml-file.ts";
import { canaryVersionOf, type ProbeSet, probeSetFileSchema, probeSetSchema, versionOf } from "./probe-set.ts";

const builtin = fileURLToPath(new URL("../../policies/probes/default/", import.meta.url));

type Part = z.infer<typeof probeSetFileSchema>;

const together = (parts: readonly Part[], source: string): unknown => {
  const wordings = parts.flatMap((part) => (part.wording === undefined ? [] : [part.wording]));
  if (wordings.length > 1) throw configError(source, "`wording` stands in more than one file: keep one");
  return {
    harm: parts.flatMap((part) => part.harm ?? []),
    selfAssessment: parts.flatMap((part) => part.selfAssessment ?? []),
    descriptions: parts.flatMap((part) => part.descriptions ?? []),
    placebo: parts.flatMap((part) => part.placebo ?? []),
    wording: wordings[0],
    canary: parts.flatMap((part) => part.canary ?? []),
    identity: parts.flatMap((part) => part.identity ?? []),
  };
};

const readParts = async (path: string): Promise<Part[]> => {
  const files = await yamlFilesIn(path);
  if (files.length === 0) throw configError(path, "holds no .yaml file: add the files of a probe set");
  return Promise.all(files.map((file): Promise<Part> => readYaml(probeSetFileSchema, file)));
};

/**
 * Loads and validates. A set without canary or identity questions gets those that ship. Rejects with a `ConfigError` whose message names file, place, path, value and fix.
 * @param source path of a YAML file or of a folder of them, or `builtin` for the set that ships with Candor
 */
export const loadProbeSet = async (source: string): Promise<ProbeSet> => {
  const path = source === "builtin" ? builtin : source;
  const own = validate(probeSetSchema, together(await readParts(path), path), path);
  const shipped = path === builtin ? [] : await readParts(builtin);
  const orShipped = <T>(given: T[], of: (part: Part) => T[] | undefined): T[] =>
    given.length > 0 ? given : shipped.flatMap((part) => of(part) ?? []);
  const set = {
    ...own,
    canary: orShipped(own.canary, (part) => part.canary),
    identity: orShipped(own.identity, (part) => part.identity),
  };
  return { ...set, version: versionOf(set), canaryVersion: canaryVersionOf(set) };
};
