/** Chance that repeats itself: each row draws from a sequence of its own, so a row is the same in any order. */

export interface Random {
  /** From 0 up to 1. */
  next(): number;
  chance(probability: number): boolean;
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  /** A whole number from 0 up to `count`; low ones are drawn more often, as popular things are. */
  popular(count: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
  /** A key, as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K;
  /** A moment between the two; the earlier one when they are in the wrong order. */
  between(from: Date, to: Date): Date;
}

/** The sequence of the row `index` of `table`. */
export function randomFor(table: string, index: number): Random {
  const next = sequence(hash(`${table}:${index}`));
  const integer = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    chance: (probability) => next() < probability,
    integer,
    popular: (count) => Math.floor(count * next() ** 2),
    pick: (items) => items[integer(0, items.length - 1)] ?? items[0],
    weighted: (weights) => weighted(weights, next()),
    between: (from, to) =>
      new Date(from.getTime() + Math.floor(next() * Math.max(0, to.getTime() - from.getTime()))),
  };
}

function weighted<K extends string>(weights: Readonly<Record<K, number>>, draw: number): K {
  const keys = Object.keys(weights) as K[];
  const total = keys.reduce((sum, key) => sum + weights[key], 0);
  let rest = draw * total;
  const found = keys.find((key) => {
    rest -= weights[key];
    return rest < 0;
  });
  return found ?? (keys[0] as K);
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return value >>> 0;
}

/** Mulberry32. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
