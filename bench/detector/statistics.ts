/** Summaries of simulated runs, and tables of them in Markdown. */

/** @param share 0-1 */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Median and 95 % quantile. */
export const middleAndTail = (values: readonly number[], digits = 0): string =>
  `${quantile(values, 0.5).toFixed(digits)}/${quantile(values, 0.95).toFixed(digits)}`;

export const percent = (share: number): string => (100 * share).toFixed(1);

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
