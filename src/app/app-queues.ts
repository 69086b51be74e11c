/** What an app asks of workers: by BullMQ's queues; where that is not installed, by Redis alone. */
import type { Lanes } from '../buffer/lane.js';
import type { RedisClient } from '../connection/redis.js';
import type { Stores } from '../definitions/stores.js';
import { isForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import { DeadLetterQueue } from '../queues/dead-letter-queue.js';
import { closeQueues } from '../queues/lazy-queue.js';
import { RefreshQueue } from '../queues/refresh-queue.js';
import { WakeUpCalls, type WakeUps } from '../queues/wake-ups.js';
import { WriteBehindQueue } from '../queues/write-behind-queue.js';
import type { Resources } from '../resources.js';

export interface AppQueues {
  readonly wakeUps: WakeUps;
  readonly deadLetters: DeadLetterQueue | undefined;
  readonly refresh: RefreshQueue | undefined;
}

export interface AppQueuesPlace {
  readonly queue: RedisClient;
  readonly writes: RedisClient;
  readonly lanes: Lanes;
  readonly prefix: string;
  readonly emit: Emit;
}

/** What the app needs at once is opened now: its first write would wait for the module. */
export async function openQueues(
  stores: Stores,
  { queue, writes, lanes, prefix, emit }: AppQueuesPlace,
  resources: Resources,
): Promise<AppQueues> {
  const wakeUps = new WriteBehindQueue(queue, prefix, emit);
  const deadLetters = new DeadLetterQueue(queue, prefix, emit);
  const refresh = new RefreshQueue(queue, prefix, emit);
  try {
    if (lanes.all.length > 0) await wakeUps.open();
    if (stores.computed.size > 0) await refresh.open();
  } catch (error) {
    if (!isForebayError(error, 'PEER_MISSING')) throw error;
    // Nothing but refreshes needs BullMQ itself.
    if (stores.computed.size > 0) emit({ type: 'queue.missing', install: String(error.context.install) });
    return { wakeUps: new WakeUpCalls(writes, prefix), deadLetters: undefined, refresh: undefined };
  }
  resources.own('queues', [wakeUps, deadLetters, refresh], closeQueues);
  return { wakeUps, deadLetters, refresh };
}
