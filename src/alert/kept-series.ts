/** Series of names that come and go with the configuration: those that stay keep what they counted. */

/** Makes `series` hold just these names; new ones are made, those that are no longer named go. */
export const keepSeries = <T>(series: Map<string, T>, names: readonly string[], make: (name: string) => T): void => {
  const wanted = new Set(names);
  for (const name of series.keys()) if (!wanted.has(name)) series.delete(name);
  for (const name of wanted) if (!series.has(name)) series.set(name, make(name));
};
