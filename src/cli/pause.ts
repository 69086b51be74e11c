/** `forebay pause` and `forebay resume`: workers take no new batches of a store, or take them again. */

import { lanePlaces } from '../buffer/lane.js';
import { readLayouts } from '../buffer/layouts.js';
import { Pauses } from '../buffer/pauses.js';
import { WriteBehindQueue } from '../queues/write-behind-queue.js';
import type { Io } from './command.js';
import { unknownStore } from './unknown-store.js';
import { withConnections } from './with-connections.js';

/** Returns the exit code. @throws UsageError for a store that was never written */
export async function setPaused(store: string, isPaused: boolean, io: Io): Promise<number> {
  const { prefix, redis, queueRedis } = io.config();
  const plan = { lanes: [redis, 'reads'], queue: [queueRedis, 'queue'] } as const;
  return withConnections(plan, async (connections, resources) => {
    const known = await readLayouts(connections.lanes, prefix);
    const layout = known.get(store);
    if (layout === undefined) throw unknownStore(store, known);
    const pauses = new Pauses(connections.lanes, prefix);
    if (isPaused) await pauses.pause(store);
    else {
      await pauses.resume(store);
      const queue = new WriteBehindQueue(connections.queue, prefix, () => undefined);
      resources.own('queue', queue, (it) => it.close());
      for (const { name } of lanePlaces(prefix, store, layout)) await queue.wake(name, 0);
    }
    io.out.write(isPaused ? paused(store) : `${store} is written again.\n`);
    return 0;
  });
}

function paused(store: string): string {
  return `${store} is paused: workers take no new batch of it, within two seconds. To go on: forebay resume ${store}\n`;
}
