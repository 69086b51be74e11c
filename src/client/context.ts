/** What the typed stores of one connected app share. */

import type { Lanes } from '../buffer/lane.js';
import type { WriteBuffer } from '../buffer/write-buffer.js';
import type { ReadingParts } from '../cache/cache.js';
import type { BatchedGet } from '../cache/redis/batched-get.js';
import type { Breaker } from '../connection/breaker.js';
import type { RedisClient } from '../connection/redis.js';
import type { Database } from '../database/database.js';
import type { Emit } from '../events.js';
import type { ReceiptDesk } from './receipts/receipt.js';
import type { Writes } from './writing/traced-writes.js';

export interface ClientContext {
  readonly prefix: string;
  readonly lanes: Lanes;
  /** The connection for reads, and the buffer on it. */
  readonly redis: RedisClient;
  readonly buffer: WriteBuffer;
  /** Of reads of entries and of what is pending. */
  readonly breaker: Breaker;
  /** Reads of entries: those of one turn in one command. */
  readonly entries: BatchedGet;
  readonly writes: Writes;
  readonly database: Database;
  readonly reading: ReadingParts;
  readonly receipts: ReceiptDesk;
  readonly emit: Emit;
}

/** What a load of rows or counters may take, in ms. */
export const loadTimeoutMs = 10_000;

/** How long their leases hold, in ms: longer than a load. */
export const leaseMs = loadTimeoutMs + 1_000;
