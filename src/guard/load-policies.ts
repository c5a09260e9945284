/** Reads guard policies from YAML files and folders of them, and refuses what could not be enforced as it is written. */
import type { Config } from "../config/schema.ts";
import { configError, readYaml, yamlFilesIn } from "../config/yaml-file.ts";
import { conditionOf } from "./match.ts";
import { type Policy, policyFileSchema, uses } from "./policy.ts";

const filesOf = async (path: string): Promise<string[]> => {
  const files = await yamlFilesIn(path);
  if (files.length === 0) throw configError(path, "holds no .yaml file: add policies or leave the folder out");
  return files;
};

/** What policies may speak of. */
export interface Known {
  /** Ids of subjects. */
  subjects: readonly string[];
  /** Whether there is a judge to be asked. */
  judge: boolean;
}

const compile = (policy: Policy, field: string, file: string): void => {
  try {
    conditionOf(policy.match, policy.normalise, policy.except);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw configError(file, `a regular expression can't be run in linear time: ${reason}`, `${field}.match`);
  }
};

const inspect = (policy: Policy, field: string, file: string, { subjects, judge }: Known): void => {
  for (const id of [...(policy.where.subjects ?? []), ...(policy.to === undefined ? [] : [policy.to])]) {
    if (!subjects.includes(id))
      throw configError(file, `no subject is called "${id}"; known: ${subjects.join(", ")}`, field);
  }
  if (uses(policy.match, "judge") && !judge)
    throw configError(file, "asks a judge, and none is configured: add classify.judge, or leave it out", field);
};

interface Placed {
  policy: Policy;
  file: string;
  field: string;
}

/** An exception from what is not there, or is never asked where it holds, would be one that nobody has. */
const inspectException = ({ policy: { exempts, stage }, field, file }: Placed, all: readonly Placed[]): void => {
  for (const id of exempts ?? []) {
    const other = all.find(({ policy }) => policy.id === id)?.policy;
    if (other === undefined) throw configError(file, `no policy is called "${id}"`, `${field}.exempts`);
    if (other.action === "allow") throw configError(file, `"${id}" is an exception itself`, `${field}.exempts`);
    if (other.stage !== stage)
      throw configError(file, `"${id}" is about the ${other.stage}: an exception is of one stage`, `${field}.exempts`);
  }
};

const readPlaced = async (paths: readonly string[]): Promise<Placed[]> => {
  const placed: Placed[] = [];
  for (const file of (await Promise.all(paths.map(filesOf))).flat()) {
    const { policies } = await readYaml(policyFileSchema, file);
    for (const [index, policy] of policies.entries()) {
      const field = `policies[${index}]`;
      if (placed.some((other) => other.policy.id === policy.id))
        throw configError(file, `another policy is called "${policy.id}": give each its own id`, `${field}.id`);
      compile(policy, field, file);
      placed.push({ policy, file, field });
    }
  }
  return placed;
};

/** Policies that can be run, whatever the configuration is. Rejects with a `ConfigError` that names file and place. */
export const readPolicies = async (paths: readonly string[]): Promise<Policy[]> =>
  (await readPlaced(paths)).map(({ policy }) => policy);

/**
 * Policies that can be in force under a configuration. Rejects with a `ConfigError` that names file and place.
 * @param paths files, or folders of which all YAML files are read by name
 */
export const loadPolicies = async (paths: readonly string[], known: Known): Promise<Policy[]> => {
  const all = await readPlaced(paths);
  return all.map((placed) => {
    const { policy, file, field } = placed;
    inspect(policy, field, file, known);
    inspectException(placed, all);
    return policy;
  });
};

/** What the policies of a configuration may speak of. */
export const knownIn = ({ subjects, classify }: Pick<Config, "subjects" | "classify">): Known => ({
  subjects: subjects.map(({ id }) => id),
  judge: classify.judge !== undefined,
});
