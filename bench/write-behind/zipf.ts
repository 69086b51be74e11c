/**
 * Zipf's distribution: of `items` things, the one of rank k is drawn with a probability proportional to 1 / k^exponent.
 * An exponent of 0.99 is what YCSB uses (Cooper et al., "Benchmarking Cloud Serving Systems with YCSB", SoCC 2010), after Gray et al.,
 * "Quickly Generating Billion-Record Synthetic Databases", SIGMOD 1994. Theirs approximates, for it can't keep a table of a
 * billion sums; this one keeps the table, and is exact.
 */

export interface ZipfOptions {
  readonly items: number;
  readonly exponent: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** Returns a function that draws an item, from 0 (the most popular) up to `items`. */
export function zipf({ items, exponent, random }: ZipfOptions): () => number {
  const sums = new Float64Array(items);
  let sum = 0;
  for (let item = 0; item < items; item++) {
    sum += 1 / (item + 1) ** exponent;
    sums[item] = sum;
  }
  return () => firstAbove(sums, random() * sum);
}

/** Index of the first sum that is greater than `value`. */
function firstAbove(sums: Float64Array, value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sums[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
