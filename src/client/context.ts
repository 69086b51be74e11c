/** What the typed stores of one connected app share. */

import type { Lanes } from '../buffer/lane.js';
import type { WriteBuffer } from '../buffer/write-buffer.js';
import type { RedisClient } from '../connection/redis.js';
import type { Database } from '../database/database.js';
import type { Emit } from '../events.js';
import type { WriteQueue } from './write-queue.js';

export interface ClientContext {
  readonly prefix: string;
  readonly lanes: Lanes;
  /** The connection for reads, and the buffer on it. */
  readonly redis: RedisClient;
  readonly buffer: WriteBuffer;
  readonly writes: WriteQueue;
  readonly database: Database;
  readonly emit: Emit;
}

/** What a write returns once it is accepted. */
export interface Receipt {
  readonly store: string;
  /** The lane that carries the write to the database, e.g. `tasks/3`. */
  readonly lane: string;
  /** Grows with each write of a lane; µs since 1970, about. */
  readonly version: bigint;
}

/** How long the right to fill an entry holds, in ms: longer than a load should take. */
export const leaseMs = 10_000;
