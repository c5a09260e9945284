/**
 * Evidence that a mean has risen above its null, valid however often and whenever it is looked at: a Shiryaev-Roberts
 * recursion over a few bets of different size, with its CUSUM twin. Knows nothing of what the data are about.
 *
 * One bet stakes the share rho of its wealth on a ticket that costs the null mean theta and pays x in [0, 1]:
 * e = 1 - rho + rho x / theta. Its mean is at most 1 whenever the mean of x, given the past, is at most theta. So the sum
 * over all starting times, less the number of data, is a supermartingale under the null, and the mean number of data
 * until it first reaches A is at least A. Source: Shin, Ramdas, Rinaldo, "E-detectors" (arXiv 2203.03532).
 */
import { softplus } from "./log-space.ts";

/** @typeParam M what is remembered at the moment from which a bet's present evidence counts. */
export interface Bet<M> {
  /** Share of the wealth at stake, 0 <= stake < 1. */
  stake: number;
  /** log of the summed wealth of this bet begun at every datum so far. */
  logSr: number;
  /** log of the largest of these wealths, begun afresh whenever it is not above 0. */
  cusum: number;
  /** How the world was before the datum at which `cusum` last began: the estimated start of a change. */
  mark: M;
}

export interface EDetector<M> {
  bets: Bet<M>[];
  /** log of the mean over bets; what thresholds are read against. Minus infinity before the first datum. */
  logEvidence: number;
  /** log of the mean over bets of the CUSUM twins, nats: about 0 or less while the null holds. */
  logTwin: number;
}

export const createEDetector = <M>(stakes: readonly number[], origin: M): EDetector<M> => ({
  bets: stakes.map((stake) => ({ stake, logSr: Number.NEGATIVE_INFINITY, cusum: 0, mark: origin })),
  logEvidence: Number.NEGATIVE_INFINITY,
  logTwin: 0,
});

/** log of the e-value of one datum. @param theta null mean above 0, fixed before x is seen */
const logBet = (stake: number, x: number, theta: number): number => Math.log(1 - stake + (stake * x) / theta);

/** So near to 1, a mean has no room to rise: bets could gain nothing, and the sum over starts would grow by itself. */
const noRoom = 0.98;

/**
 * Folds one datum in place; nothing happens where `theta` leaves no room to rise.
 * @param mark the world before this datum; kept by bets that begin afresh with it
 */
export const advance = <M>(detector: EDetector<M>, x: number, theta: number, mark: M): void => {
  if (theta >= noRoom) return;
  const { bets } = detector;
  let [topSr, topCusum] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const bet of bets) {
    const logE = logBet(bet.stake, x, theta);
    bet.logSr = softplus(bet.logSr) + logE;
    if (bet.cusum <= 0) {
      bet.cusum = 0;
      bet.mark = mark;
    }
    bet.cusum += logE;
    if (bet.logSr > topSr) topSr = bet.logSr;
    if (bet.cusum > topCusum) topCusum = bet.cusum;
  }
  let [sr, cusum] = [0, 0];
  for (const bet of bets) {
    sr += Math.exp(bet.logSr - topSr);
    cusum += Math.exp(bet.cusum - topCusum);
  }
  detector.logEvidence = topSr + Math.log(sr / bets.length);
  detector.logTwin = topCusum + Math.log(cusum / bets.length);
};

/** The bet with the most evidence since its mark. */
export const leadingBet = <M>({ bets }: EDetector<M>): Bet<M> => bets.reduce((a, b) => (b.cusum > a.cusum ? b : a));
