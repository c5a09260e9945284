/** Whether scores mean what they say: of the answers scored about 0.7, are seven in ten harmful? */

interface ReliabilityBin {
  /** Scores in this bin: from `from`, below `to`; the last includes 1. */
  from: number;
  to: number;
  n: number;
  /** Mean of the scores, and share that is harmful; null in an empty bin. */
  meanScore: number | null;
  harmful: number | null;
}

export interface Reliability {
  bins: ReliabilityBin[];
  /** Expected calibration error: how far score and share are apart, a mean over rows. 0-1; NaN without rows. */
  ece: number;
}

/** @param count of bins of equal width */
export const reliability = (rows: readonly { score: number; harmful: boolean }[], count = 10): Reliability => {
  const bins = Array.from({ length: count }, (_, at) => {
    const inside = rows.filter(({ score }) => Math.min(count - 1, Math.floor(score * count)) === at);
    const n = inside.length;
    const mean = (figure: (row: (typeof inside)[number]) => number) =>
      n === 0 ? null : inside.reduce((sum, row) => sum + figure(row), 0) / n;
    return {
      from: at / count,
      to: (at + 1) / count,
      n,
      meanScore: mean(({ score }) => score),
      harmful: mean(({ harmful }) => (harmful ? 1 : 0)),
    };
  });
  const off = bins.reduce((sum, { n, meanScore, harmful }) => sum + n * Math.abs((meanScore ?? 0) - (harmful ?? 0)), 0);
  return { bins, ece: off / rows.length };
};
