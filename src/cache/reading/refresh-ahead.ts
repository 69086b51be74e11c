/**
 * Whether a read of a fresh value has it computed anew: in the last part of its life, so that nobody waits
 * when that is over.
 */
import type { RefreshWhen } from '../../definitions/computed.js';
import type { ValueHead } from '../entry/value-entry.js';

/** What a read does with a fresh value that is due. */
export interface RefreshAhead {
  readonly when: RefreshWhen;
  /** Called by each read that finds the value due: must be quick, and must not throw. */
  readonly refresh: (key: string, due: DueValue) => void;
}

export interface DueValue {
  readonly head: ValueHead;
  /** Until it goes stale, in ms. */
  readonly freshForMs: number;
  /** Reads of it in this process's memory so far. */
  readonly reads: number;
}

/** XFetch's β: above 1 computes earlier, below 1 later. 1 is optimal for exponential inter-arrival times. */
const beta = 1;

/**
 * By threshold, or by XFetch: `now − δ β ln(rand()) ≥ expiry`, where δ is what the load took (Vattani,
 * Chierichetti, Lowenstein: "Optimal probabilistic cache stampede prevention", VLDB 2015, figure 2).
 */
export function isRefreshDue(
  when: RefreshWhen,
  { freshForMs, ttlMs, loadMs }: { freshForMs: number; ttlMs: number; loadMs: number },
  random: () => number = Math.random,
): boolean {
  if (when !== 'xfetch') return freshForMs <= ttlMs * (1 - when);
  return freshForMs <= -loadMs * beta * Math.log(random());
}
