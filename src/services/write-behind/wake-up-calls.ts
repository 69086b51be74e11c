/** Hears the apps that have no BullMQ, and adds the jobs that they ask for. */
import type { RedisClient } from '../../connection/redis.js';
import type { Emit } from '../../events.js';
import { wakeUpChannel } from '../../keys.js';
import { parseWakeUpCall } from '../../queues/wake-ups.js';
import type { WriteBehindQueue } from '../../queues/write-behind-queue.js';
import type { FollowedLanes } from './followed-lanes.js';

export interface WakeUpCallsDependencies {
  /** A subscriber to the lanes' Redis, for this alone. */
  readonly subscriber: RedisClient;
  readonly prefix: string;
  readonly lanes: Pick<FollowedLanes, 'named'>;
  readonly queue: WriteBehindQueue;
  readonly emit: Emit;
}

/** Every worker hears each call; the queue keeps one of their jobs. */
export async function hearWakeUpCalls(dependencies: WakeUpCallsDependencies): Promise<void> {
  const { subscriber, prefix } = dependencies;
  subscriber.on('message', (_channel: string, message: string) => void answer(message, dependencies));
  await subscriber.subscribe(wakeUpChannel(prefix));
}

async function answer(message: string, { lanes, queue, emit }: WakeUpCallsDependencies): Promise<void> {
  const { lane, delayMs, isHurry, id } = parseWakeUpCall(message);
  // Of another release's store: its workers hear it too.
  try {
    if ((await lanes.named(lane)) === undefined) return;
    await (isHurry ? queue.hurry(lane) : queue.wake(lane, delayMs, id));
  } catch (error) {
    emit({ type: 'wake.failed', lane, error });
  }
}
