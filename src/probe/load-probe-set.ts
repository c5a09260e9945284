/** Reads a probe set from a YAML file, or from all YAML files of a folder together. Nothing else of the probes does I/O on files. */
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import { configError, readYaml, validate, yamlFilesIn } from "../config/yaml-file.ts";
import { type ProbeSet, probeSetFileSchema, probeSetSchema, versionOf } from "./probe-set.ts";

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
  };
};

/**
 * Loads and validates. Rejects with a `ConfigError` whose message names file, place, path, value and fix.
 * @param source path of a YAML file or of a folder of them, or `builtin` for the set that ships with Candor
 */
export const loadProbeSet = async (source: string): Promise<ProbeSet> => {
  const path = source === "builtin" ? builtin : source;
  const files = await yamlFilesIn(path);
  if (files.length === 0) throw configError(path, "holds no .yaml file: add the files of a probe set");
  const parts = await Promise.all(files.map((file): Promise<Part> => readYaml(probeSetFileSchema, file)));
  const set = validate(probeSetSchema, together(parts, path), path);
  return { ...set, version: versionOf(set) };
};
