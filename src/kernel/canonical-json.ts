/** One text for one value: JSON with sorted keys and no white space, so that a hash over it means something. */

const numberText = (value: number): string =>
  // JSON has no infinities; evidence before the first datum is minus infinity.
  Number.isFinite(value) ? JSON.stringify(value) : JSON.stringify(String(value));

/** Fields that are undefined are left out. Takes plain data only. */
export const canonicalJson = (value: unknown): string => {
  if (typeof value === "number") return numberText(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`);
  return `{${fields.join(",")}}`;
};
