/**
 * Turns a text into the counted, hashed words and word pairs that the screen weighs. Training and judging both use
 * this file: any change to it makes every trained model wrong, so `featuriser` must change with it.
 */

/** Which featuriser a model was trained with; a model of another one is refused at load. */
export const featuriser = "words-1-2-fnv1a-v1";

export const bucketCount = 65_536;

/** UTF-16 code units of a text that are read, so that the work is bounded whatever arrives. */
export const readLength = 2_000;

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;
const apostrophe = 0x27;
const curlyApostrophe = 0x2019;

/** Every code unit above ASCII is a letter, apart from spaces and punctuation: lone surrogates are no special case. */
const isWordUnit = (unit: number): boolean =>
  (unit >= 0x61 && unit <= 0x7a) ||
  (unit >= 0x30 && unit <= 0x39) ||
  (unit > 0xbf &&
    unit !== 0xd7 &&
    unit !== 0xf7 &&
    (unit < 0x2000 || unit > 0x206f) &&
    (unit < 0x3000 || unit > 0x303f));

/** The last steps of MurmurHash3: FNV-1a alone leaves its low bits uneven for short words. */
const bucketOf = (hash: number): number => {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) & (bucketCount - 1);
};

/** FNV-1a of each word in order, over the code units of its lower-case form; `don't` is one word. */
export const hashWords = (text: string): number[] => {
  const lower = text.slice(0, readLength).toLowerCase();
  const words: number[] = [];
  let hash = 0;
  let inWord = false;
  for (let at = 0; at < lower.length; at += 1) {
    const unit = lower.charCodeAt(at);
    const joins = inWord && (unit === apostrophe || unit === curlyApostrophe) && isWordUnit(lower.charCodeAt(at + 1));
    if (isWordUnit(unit) || joins) {
      hash = Math.imul((inWord ? hash : fnvOffset) ^ (joins ? apostrophe : unit), fnvPrime);
      inWord = true;
    } else if (inWord) {
      words.push(hash);
      inWord = false;
    }
  }
  if (inWord) words.push(hash);
  return words;
};

/** How often each bucket occurs: one for each word, one for each two words in a row. */
export const countFeatures = (text: string): Map<number, number> => {
  const counts = new Map<number, number>();
  const add = (bucket: number) => counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  let before: number | null = null;
  for (const word of hashWords(text)) {
    add(bucketOf(word));
    if (before !== null) add(bucketOf(Math.imul(before, 0x9e3779b1) ^ word));
    before = word;
  }
  return counts;
};

export interface SparseVector {
  buckets: Uint32Array;
  values: Float64Array;
}

/** log(1 + count) x idf, scaled to length 1; buckets of idf 0 are left out. The vector of an empty text is empty. */
export const weighFeatures = (counts: ReadonlyMap<number, number>, idf: ArrayLike<number>): SparseVector => {
  const buckets = new Uint32Array(counts.size);
  const values = new Float64Array(counts.size);
  let kept = 0;
  let squares = 0;
  for (const [bucket, count] of counts) {
    const value = Math.log1p(count) * (idf[bucket] ?? 0);
    if (value === 0) continue;
    buckets[kept] = bucket;
    values[kept] = value;
    squares += value * value;
    kept += 1;
  }
  const norm = Math.sqrt(squares);
  for (let at = 0; at < kept; at += 1) values[at] = (values[at] ?? 0) / norm;
  return { buckets: buckets.subarray(0, kept), values: values.subarray(0, kept) };
};
