/**
 * Evidence that a mean has risen above its null, valid however often and whenever it is looked at: a Shiryaev-Roberts
 * recursion over a few bets of different size, with its CUSUM twin. Knows nothing of what the data are about.
 *
 * One bet stakes the share rho of its wealth on a ticket that costs the null mean theta and pays x in [0, 1]:
 * e = 1 - rho + rho x / theta. Its mean is at most 1 whenever the mean of x, given the past, is at most theta. So the sum
 * over all starting times, less the number of data, is a supermartingale under the null, and the mean number of data
 * until it first reaches A is at least A. Source: Shin, Ramdas, Rinaldo, "E-detectors" (arXiv 2203.03532).
 */

/**
 * Wealth is multiplied by every datum. As a logarithm that would cost an exponential and two logarithms each time; as a
 * plain number it would end at 1e308. So it is a plain number and how often `unit` was taken out of it. While that is not
 * 0, the number stays above 1e-100, so that 1 is nothing beside it.
 */
const unit = 1e200;
const logUnit = Math.log(unit);

/** So much, and so many units of it. */
export interface Wealth {
  value: number;
  units: number;
}

export const logOf = ({ value, units }: Wealth): number => Math.log(value) + units * logUnit;

/** Whether it is at least so much, a number as of a threshold. */
export const reaches = ({ value, units }: Wealth, threshold: number): boolean => units > 0 || value >= threshold;

export const isMore = (one: Wealth, other: Wealth): boolean =>
  one.units === other.units ? one.value > other.value : one.units > other.units;

/** One entry of each list for each bet. @typeParam M what is remembered of the moment from which a bet's evidence counts */
export interface EDetector<M> {
  /** Shares of the wealth at stake, 0 <= stake < 1. */
  stakes: readonly number[];
  /** The summed wealths of the bet begun at every datum so far, and their units. */
  sums: number[];
  sumUnits: number[];
  /** The largest of these wealths, begun afresh with 1 whenever it is not above that: the CUSUM twin; and its units. */
  twins: number[];
  twinUnits: number[];
  /** How the world was before the datum at which the twin last began: the estimated start of a change. */
  marks: M[];
  /** Means over the sums and over the twins, with their units; read them by `logEvidence` and `logTwin`. */
  evidence: Wealth;
  twin: Wealth;
}

export const createEDetector = <M>(stakes: readonly number[], origin: M): EDetector<M> => ({
  stakes,
  sums: stakes.map(() => 0),
  sumUnits: stakes.map(() => 0),
  twins: stakes.map(() => 1),
  twinUnits: stakes.map(() => 0),
  marks: stakes.map(() => origin),
  evidence: { value: 0, units: 0 },
  twin: { value: 1, units: 0 },
});

/** log of the mean over the sums; what thresholds are read against. Minus infinity before the first datum. */
export const logEvidence = ({ evidence }: EDetector<unknown>): number => logOf(evidence);

/** The mean over the sums, in so many units, of which it has no more: what has fewer is nothing beside it. */
export const evidenceIn = ({ evidence }: EDetector<unknown>, units: number): number =>
  evidence.units === units ? evidence.value : 0;

/** log of the mean over the twins, nats: about 0 or less while the null holds. */
export const logTwin = ({ twin }: EDetector<unknown>): number => logOf(twin);

/** Takes a unit out of a number that has grown, or puts one back, in place. */
const rescale = (values: number[], units: number[], at: number): void => {
  const value = values[at] ?? 0;
  const taken = units[at] ?? 0;
  if (value > unit) {
    values[at] = value / unit;
    units[at] = taken + 1;
  } else if (taken > 0 && value < 1e-100) {
    values[at] = value * unit;
    units[at] = taken - 1;
  }
};

/** The mean, in place; what is smaller by a unit adds nothing that a number could hold. */
const average = (into: Wealth, values: readonly number[], units: readonly number[]): void => {
  let most = 0;
  for (const taken of units) if (taken > most) most = taken;
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) if (units[at] === most) sum += values[at] ?? 0;
  into.value = sum / values.length;
  into.units = most;
};

/** So near to 1, a mean has no room to rise: bets could gain nothing, and the sum over starts would grow by itself. */
const noRoom = 0.98;

/** Evidence below this has no units, and gets none by the next datum: the way of nearly every one. */
const farFromUnits = 1e150;

/** @param paid what a ticket pays, over what it costs */
const advanceFar = <M>(detector: EDetector<M>, paid: number, mark: M): void => {
  const { stakes, sums, twins, marks } = detector;
  let [sumOfSums, sumOfTwins] = [0, 0];
  for (let at = 0; at < stakes.length; at += 1) {
    const stake = stakes[at] ?? 0;
    const e = 1 - stake + stake * paid;
    const sum = ((sums[at] ?? 0) + 1) * e;
    let twin = twins[at] ?? 1;
    if (twin <= 1) {
      twin = 1;
      marks[at] = mark;
    }
    twin *= e;
    sums[at] = sum;
    twins[at] = twin;
    sumOfSums += sum;
    sumOfTwins += twin;
  }
  detector.evidence.value = sumOfSums / stakes.length;
  detector.twin.value = sumOfTwins / stakes.length;
};

/** The same for evidence of any size. */
const advanceNear = <M>(detector: EDetector<M>, paid: number, mark: M): void => {
  const { stakes, sums, sumUnits, twins, twinUnits, marks } = detector;
  for (const [at, stake] of stakes.entries()) {
    const e = 1 - stake + stake * paid;
    sums[at] = ((sums[at] ?? 0) + (sumUnits[at] === 0 ? 1 : 0)) * e;
    rescale(sums, sumUnits, at);
    if (twinUnits[at] === 0 && (twins[at] ?? 1) <= 1) {
      twins[at] = 1;
      marks[at] = mark;
    }
    twins[at] = (twins[at] ?? 1) * e;
    rescale(twins, twinUnits, at);
  }
  average(detector.evidence, sums, sumUnits);
  average(detector.twin, twins, twinUnits);
};

/**
 * Folds one datum in place; nothing happens where `theta` leaves no room to rise.
 * @param theta null mean above 0, fixed before x is seen
 * @param mark the world before this datum; kept by bets that begin afresh with it
 */
export const advance = <M>(detector: EDetector<M>, x: number, theta: number, mark: M): void => {
  if (theta >= noRoom) return;
  const { evidence } = detector;
  // A twin is never more than its sum.
  if (evidence.units === 0 && evidence.value < farFromUnits) advanceFar(detector, x / theta, mark);
  else advanceNear(detector, x / theta, mark);
};

/** A bet's evidence since its mark. */
export interface Lead<M> {
  /** log of the wealth, nats; not above 0 where nothing was gained. */
  cusum: number;
  mark: M;
}

/** The bet with the most evidence since its mark. */
export const leadingBet = <M>({ twins, twinUnits, marks }: EDetector<M>): Lead<M> => {
  let leading: Lead<M> | null = null;
  for (const [at, mark] of marks.entries()) {
    const cusum = Math.log(twins[at] ?? 1) + (twinUnits[at] ?? 0) * logUnit;
    if (leading === null || cusum > leading.cusum) leading = { cusum, mark };
  }
  if (leading === null) throw new Error("a detector has at least one bet");
  return leading;
};
