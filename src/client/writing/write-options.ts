/**
 * What a caller may choose for a write: how safe it is when it returns, and what happens when there is no
 * room.
 */
import type { Durability, OnFull } from '../../definitions/record.js';
import { writeChoices } from '../../definitions/store-problems.js';
import { checkChoice, checkObject } from '../../given.js';

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

/** What is left out, or undefined, is the store's. @throws ForebayError INVALID_VALUE */
export function planOf(store: WritePlan, options: WriteOptions | undefined): WritePlan {
  if (options === undefined) return store;
  checkObject('The options of a write', options);
  const { durability = store.durability, onFull = store.onFull } = options;
  checkChoice('durability', durability, writeChoices.durability);
  checkChoice('onFull', onFull, writeChoices.onFull);
  return { durability, onFull, onFullWaitMs: store.onFullWaitMs };
}
