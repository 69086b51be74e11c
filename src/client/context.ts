/** What the typed stores of one connected app share. */

import type { AppBuffer } from '../buffer/app-buffer.js';
import type { Lane, Lanes } from '../buffer/lane.js';
import type { LaneRoutes } from '../buffer/lane-follower.js';
import type { ReadingParts } from '../cache/cache.js';
import type { BatchedGet } from '../cache/redis/batched-get.js';
import type { Breaker } from '../connection/breaker.js';
import type { Loaders } from '../database/load.js';
import type { Emit } from '../events.js';
import type { ReceiptDesk } from './receipts/receipt.js';
import type { Writes } from './writing/traced-writes.js';

/** Entries of stores by their keys. */
export interface StoreEntries {
  get(key: string): Promise<string | null>;
  pttl(key: string): Promise<number>;
  unlink(...keys: string[]): Promise<unknown>;
}

export interface ClientContext {
  readonly prefix: string;
  readonly lanes: Lanes;
  readonly routes: LaneRoutes;
  /** The connection for reads, and the buffer on it. */
  readonly redis: StoreEntries;
  readonly buffer: AppBuffer;
  /** Of reads of entries and of what is pending. */
  readonly breaker: Pick<Breaker, 'run'>;
  /** Reads of entries: those of one turn in one command. */
  readonly entries: BatchedGet;
  readonly writes: Writes;
  readonly loaders: Loaders;
  /** Drops all entries of these lanes. */
  readonly dropEntries: (lanes: readonly Lane[]) => Promise<void>;
  readonly reading: ReadingParts;
  readonly receipts: ReceiptDesk;
  readonly emit: Emit;
}

/** What a load of rows or counters may take, in ms. */
export const loadTimeoutMs = 10_000;

/** How long their leases hold, in ms: longer than a load. */
export const leaseMs = loadTimeoutMs + 1_000;
