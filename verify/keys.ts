/** The keys of a round: `store:id`. Each round has its own, so that it can be checked by itself. */
import type { Random } from './random.js';
import type { StoreName } from './stores.js';

const rowsMax = 6;
const countersMax = 5;

export function splitKey(key: string): { readonly store: StoreName; readonly id: string } {
  const colon = key.indexOf(':');
  return { store: key.slice(0, colon) as StoreName, id: key.slice(colon + 1) };
}

export function idPrefix(round: number): string {
  return `r${round}-`;
}

/** A plain row may go back when Redis does: where that is to come, rows have a version column. */
export function rowKey(random: Random, round: number, isLossy: boolean): string {
  const store = isLossy ? 'versioned' : random.of(['plain', 'versioned']);
  return `${store}:${idPrefix(round)}${random.integer(1, rowsMax)}`;
}

export function counterKey(random: Random, round: number): string {
  return `counts:${counterId(round, random.integer(1, countersMax))}`;
}

export function counterIds(round: number): string[] {
  return Array.from({ length: countersMax }, (_, nth) => counterId(round, nth + 1));
}

/** Of a row that is written once. */
export function newKey(random: Random, round: number, token: string): string {
  return `${random.of(['plain', 'versioned'])}:${idPrefix(round)}new-${token}`;
}

function counterId(round: number, nth: number): string {
  return `${idPrefix(round)}c${nth}`;
}
