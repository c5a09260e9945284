/** Label values come from the configuration, never from a client: what is not configured is counted as `other`. */

const other = "other";

/** The configured values and `other`, each once. */
export const withOther = (values: readonly string[]): string[] => [...new Set([...values, other])];

/** What was prepared for `key`, or what was prepared for `other`. */
export const pick = <T>(prepared: ReadonlyMap<string, T>, key: string): T | undefined =>
  prepared.get(key) ?? prepared.get(other);

/** The value itself where it is one of these, else `other`. */
export const boundedBy = (values: readonly string[]): ((value: string) => string) => {
  const known = new Set(values);
  return (value) => (known.has(value) ? value : other);
};
