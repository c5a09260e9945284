/** Reads guard policies from YAML files and folders of them, and refuses what could not be enforced as it is written. */
import { configError, readYaml, yamlFilesIn } from "../config/yaml-file.ts";
import { conditionOf } from "./match.ts";
import { type Policy, policyFileSchema } from "./policy.ts";

const filesOf = async (path: string): Promise<string[]> => {
  const files = await yamlFilesIn(path);
  if (files.length === 0) throw configError(path, "holds no .yaml file: add policies or leave the folder out");
  return files;
};

const inspect = (policy: Policy, field: string, file: string, subjects: readonly string[]): void => {
  for (const id of [...(policy.where.subjects ?? []), ...(policy.to === undefined ? [] : [policy.to])]) {
    if (!subjects.includes(id))
      throw configError(file, `no subject is called "${id}"; known: ${subjects.join(", ")}`, field);
  }
  try {
    conditionOf(policy.match, policy.normalise);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw configError(file, `a regular expression can't be run in linear time: ${reason}`, `${field}.match`);
  }
};

/**
 * Rejects with a `ConfigError` that names file and place.
 * @param paths files, or folders of which all YAML files are read by name
 * @param subjects ids that policies may name
 */
export const loadPolicies = async (paths: readonly string[], subjects: readonly string[]): Promise<Policy[]> => {
  const policies: Policy[] = [];
  for (const file of (await Promise.all(paths.map(filesOf))).flat()) {
    const { policies: read } = await readYaml(policyFileSchema, file);
    for (const [index, policy] of read.entries()) {
      const field = `policies[${index}]`;
      if (policies.some(({ id }) => id === policy.id))
        throw configError(file, `another policy is called "${policy.id}": give each its own id`, `${field}.id`);
      inspect(policy, field, file, subjects);
      policies.push(policy);
    }
  }
  return policies;
};
