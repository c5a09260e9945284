/**
 * L2-regularised logistic regression on sparse rows, by L-BFGS with a backtracking line search (Nocedal and Wright,
 * Numerical Optimization, algorithms 7.4 and 3.1). The problem is convex: there is no seed and no order to depend on.
 */
import type { SparseVector } from "../screen-features.ts";

export interface Example {
  features: SparseVector;
  harmful: boolean;
  weight: number;
}

export interface FittedWeights {
  weights: Float64Array;
  bias: number;
}

const memory = 10;
const mostSteps = 300;
/** Of the gradient's length against that of the first one. */
const tolerance = 1e-4;

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
};

/** a + factor x b */
const plus = (a: Float64Array, factor: number, b: Float64Array): Float64Array => {
  const sum = new Float64Array(a.length);
  for (let at = 0; at < a.length; at += 1) sum[at] = (a[at] ?? 0) + factor * (b[at] ?? 0);
  return sum;
};

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** |w|^2 / 2 + c x sum of weighted log losses; the last parameter is the bias, which is not held down. */
const objective = (parameters: Float64Array, examples: readonly Example[], c: number) => {
  const last = parameters.length - 1;
  const bias = parameters[last] ?? 0;
  const gradient = parameters.slice();
  gradient[last] = 0;
  let value = (dot(parameters, parameters) - bias * bias) / 2;
  for (const { features, harmful, weight } of examples) {
    const { buckets, values } = features;
    let logit = bias;
    for (let at = 0; at < buckets.length; at += 1) logit += (parameters[buckets[at] ?? 0] ?? 0) * (values[at] ?? 0);
    value += c * weight * softplus(harmful ? -logit : logit);
    const slope = c * weight * (1 / (1 + Math.exp(-logit)) - (harmful ? 1 : 0));
    for (let at = 0; at < buckets.length; at += 1) {
      const bucket = buckets[at] ?? 0;
      gradient[bucket] = (gradient[bucket] ?? 0) + slope * (values[at] ?? 0);
    }
    gradient[last] = (gradient[last] ?? 0) + slope;
  }
  return { value, gradient };
};

interface Change {
  step: Float64Array;
  turn: Float64Array;
  curvature: number;
}

/** The two loops: the gradient times an estimate of the inverse of the second derivatives. */
const directionOf = (gradient: Float64Array, changes: readonly Change[]): Float64Array => {
  let direction: Float64Array = gradient.map((value) => -value);
  const factors = changes.toReversed().map(({ step, turn, curvature }) => {
    const factor = dot(step, direction) / curvature;
    direction = plus(direction, -factor, turn);
    return factor;
  });
  const newest = changes.at(-1);
  if (newest !== undefined) {
    const scale = newest.curvature / dot(newest.turn, newest.turn);
    direction = direction.map((value) => value * scale);
  }
  for (const [at, { step, turn, curvature }] of changes.entries()) {
    const factor = factors[changes.length - 1 - at] ?? 0;
    direction = plus(direction, factor - dot(turn, direction) / curvature, step);
  }
  return direction;
};

/** Most buckets are in no row at all and keep a weight of 0: what is fitted are the others, numbered in order. */
const onlyUsed = (examples: readonly Example[], size: number) => {
  const inUse = new Uint8Array(size);
  for (const { features } of examples) for (const bucket of features.buckets) inUse[bucket] = 1;
  const used = Uint32Array.from({ length: size }, (_, bucket) => bucket).filter((bucket) => inUse[bucket] === 1);
  const numbers = new Uint32Array(size);
  for (const [number, bucket] of used.entries()) numbers[bucket] = number;
  const renumbered = examples.map(({ features: { buckets, values }, ...example }) => ({
    ...example,
    features: { buckets: buckets.map((bucket) => numbers[bucket] ?? 0), values },
  }));
  return { used, renumbered };
};

/**
 * @param size buckets that there are
 * @param c weight of the losses against that of the regularisation, as in liblinear
 */
export const fitLogistic = (rows: readonly Example[], size: number, c: number): FittedWeights => {
  const { used, renumbered: examples } = onlyUsed(rows, size);
  let parameters: Float64Array = new Float64Array(used.length + 1);
  let here = objective(parameters, examples, c);
  const enough = tolerance * Math.sqrt(dot(here.gradient, here.gradient));
  const changes: Change[] = [];
  for (let count = 0; count < mostSteps && Math.sqrt(dot(here.gradient, here.gradient)) > enough; count += 1) {
    const direction = directionOf(here.gradient, changes);
    const slope = dot(here.gradient, direction);
    let length = changes.length === 0 ? 1 / Math.max(1, Math.sqrt(dot(direction, direction))) : 1;
    let moved = plus(parameters, length, direction);
    let there = objective(moved, examples, c);
    while (there.value > here.value + 1e-4 * length * slope && length > 1e-10) {
      length /= 2;
      moved = plus(parameters, length, direction);
      there = objective(moved, examples, c);
    }
    const step = plus(moved, -1, parameters);
    const turn = plus(there.gradient, -1, here.gradient);
    const curvature = dot(step, turn);
    if (curvature > 1e-12) changes.push({ step, turn, curvature });
    if (changes.length > memory) changes.shift();
    parameters = moved;
    here = there;
  }
  const weights = new Float64Array(size);
  for (const [number, bucket] of used.entries()) weights[bucket] = parameters[number] ?? 0;
  return { weights, bias: parameters[used.length] ?? 0 };
};
