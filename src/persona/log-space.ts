/** Arithmetic on logarithms, so that evidence of any size neither overflows nor vanishes. Knows nothing of evidence. */

/** log(1 + exp(a)). */
export const softplus = (a: number): number => {
  if (a > 35) return a;
  const exponential = Math.exp(a);
  return a < -35 ? exponential : Math.log1p(exponential);
};

/** log of the sum of exp(values); minus infinity for none. */
export const logSumExp = (values: readonly number[]): number => {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) largest = Math.max(largest, value);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
};

/** log of the mean of exp(values); minus infinity for none. */
export const logMeanExp = (values: readonly number[]): number =>
  values.length === 0 ? Number.NEGATIVE_INFINITY : logSumExp(values) - Math.log(values.length);

// Lanczos approximation with g = 7 and nine terms; relative error below 1e-14. Source: Godfrey's coefficients.
const lanczos = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

/** log of the gamma function, for x > 0. */
const logGamma = (x: number): number => {
  // The series is good from one half on; below it, gamma(x) = gamma(x + 1) / x.
  if (x < 0.5) return logGamma(x + 1) - Math.log(x);
  const z = x - 1;
  let series = 0.9999999999998099;
  let shift = z;
  for (const coefficient of lanczos) {
    shift += 1;
    series += coefficient / shift;
  }
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(series);
};

/** log of the beta function, for a, b > 0. */
export const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);
