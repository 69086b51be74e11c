/** forebay's queues, as the board needs them; and Bull Board over them. */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Queue } from 'bullmq';
import type { Hono } from 'hono';
import type { RedisClient } from '../connection/redis.js';
import type { Emit } from '../events.js';
import { DeadLetterQueue } from '../queues/dead-letter-queue.js';
import { RefreshQueue } from '../queues/refresh-queue.js';
import { ScheduleQueue } from '../queues/schedule-queue.js';
import { WarmQueue } from '../queues/warm-queue.js';
import { WriteBehindQueue } from '../queues/write-behind-queue.js';

const descriptions: Readonly<Record<string, string>> = {
  'write-behind': 'Flushes of lanes to the database',
  'dead-letter': 'Records that the database refused; a retry replays one',
  refresh: 'Values computed anew before they go stale',
  warm: 'Runs of warming: values computed before they are asked for',
  schedules: 'Schedules, delayed until their next tick; promoting one runs it now',
};

export class BoardQueues {
  readonly writeBehind: WriteBehindQueue;
  readonly deadLetters: DeadLetterQueue;
  readonly schedules: ScheduleQueue;
  readonly byName: ReadonlyMap<string, Queue>;
  readonly owned: readonly { close(): Promise<void> }[];

  constructor(connection: RedisClient, prefix: string, emit: Emit) {
    this.writeBehind = new WriteBehindQueue(connection, prefix, emit);
    this.deadLetters = new DeadLetterQueue(connection, prefix, emit);
    this.schedules = new ScheduleQueue(connection, prefix, emit);
    const refresh = new RefreshQueue(connection, prefix, emit);
    const warm = new WarmQueue(connection, prefix, emit);
    const owned = [this.writeBehind, this.deadLetters, refresh, warm, this.schedules];
    this.owned = owned;
    this.byName = new Map(owned.map(({ queue }) => [queue.name, queue as Queue]));
  }

  get all(): Queue[] {
    return [...this.byName.values()];
  }

  named(name: string): Queue | undefined {
    return this.byName.get(name);
  }

  /** Bull Board, whose pages are below `path`. Readers get one that offers no changes. */
  bullBoard(path: string, { isReadOnly }: { isReadOnly: boolean }): Hono {
    const adapter = new HonoAdapter(serveStatic).setBasePath(path);
    createBullBoard({
      queues: this.all.map(
        (queue) =>
          new BullMQAdapter(queue, {
            description: descriptions[queue.name] ?? '',
            readOnlyMode: isReadOnly,
            allowRetries: !isReadOnly,
          }),
      ),
      serverAdapter: adapter,
      options: {
        uiConfig: {
          boardTitle: 'forebay',
          boardLogo: { path: '/assets/logo.svg', width: 24, height: 24 },
          favIcon: { default: '/assets/logo.svg', alternative: '/assets/logo.svg' },
          miscLinks: [{ text: 'forebay: overview', url: '/' }],
          hideDocsLink: true,
        },
      },
    });
    return adapter.registerPlugin() as Hono;
  }
}
