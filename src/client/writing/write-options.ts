/**
 * What a caller may choose for a write: how safe it is when it returns, and what happens when there is no
 * room.
 */
import type { Durability, OnFull } from '../../definitions/record.js';

/** How one write of a store is made. */
export interface WriteOptions {
  /** Default: the store's. */
  readonly durability?: Durability;
  /** Default: the store's. */
  readonly onFull?: OnFull;
}

/** All of them decided. */
export interface WritePlan {
  readonly durability: Durability;
  readonly onFull: OnFull;
  readonly onFullWaitMs: number;
}

export function planOf(store: WritePlan, options: WriteOptions | undefined): WritePlan {
  return options === undefined ? store : { ...store, ...options };
}
