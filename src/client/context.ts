/** What the typed stores of one connected app share. */

import type { Lanes } from '../buffer/lane.js';
import type { WriteBuffer } from '../buffer/write-buffer.js';
import type { Loading } from '../cache/reading/loading.js';
import type { WaitingRoom } from '../cache/reading/waiting-room.js';
import type { Breaker } from '../connection/breaker.js';
import type { RedisClient } from '../connection/redis.js';
import type { Database } from '../database/database.js';
import type { Emit } from '../events.js';
import type { ReceiptDesk } from './receipts/receipt.js';
import type { WriteQueue } from './writing/write-queue.js';

export interface ClientContext {
  readonly prefix: string;
  readonly lanes: Lanes;
  /** The connection for reads, and the buffer on it. */
  readonly redis: RedisClient;
  readonly buffer: WriteBuffer;
  /** Of reads of entries and of what is pending. */
  readonly breaker: Breaker;
  readonly writes: WriteQueue;
  readonly database: Database;
  /** Loads while Redis is away. */
  readonly loading: Loading;
  /** Where reads wait for what others load. */
  readonly waitingRoom: WaitingRoom;
  readonly receipts: ReceiptDesk;
  readonly emit: Emit;
}

/** How long the right to fill an entry holds, in ms: longer than a load should take. */
export const leaseMs = 10_000;

/** How long a read waits for what others load, in ms: longer than a lease, after which another of those who wait gets it. */
export const waitMaxMs = leaseMs + 5_000;
