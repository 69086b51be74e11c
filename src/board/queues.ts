/** forebay's queues, as the board needs them; and Bull Board over them. */
import type { Queue } from 'bullmq';
import type { Hono } from 'hono';
import type { RedisClient } from '../connection/redis.js';
import type { Emit } from '../events.js';
import { BullMQAdapter, createBullBoard, HonoAdapter } from '../peers/bull-board.js';
import { serveStatic } from '../peers/hono.js';
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

interface QueuesOfBoard {
  readonly writeBehind: WriteBehindQueue;
  readonly deadLetters: DeadLetterQueue;
  readonly refresh: RefreshQueue;
  readonly warm: WarmQueue;
  readonly schedules: ScheduleQueue;
}

export class BoardQueues {
  readonly writeBehind: WriteBehindQueue;
  readonly deadLetters: DeadLetterQueue;
  readonly schedules: ScheduleQueue;
  readonly byName: ReadonlyMap<string, Queue>;
  readonly owned: readonly { close(): Promise<void> }[];

  private constructor(queues: QueuesOfBoard, byName: ReadonlyMap<string, Queue>) {
    this.writeBehind = queues.writeBehind;
    this.deadLetters = queues.deadLetters;
    this.schedules = queues.schedules;
    this.owned = Object.values(queues);
    this.byName = byName;
  }

  static async open(connection: RedisClient, prefix: string, emit: Emit): Promise<BoardQueues> {
    const queues = {
      writeBehind: new WriteBehindQueue(connection, prefix, emit),
      deadLetters: new DeadLetterQueue(connection, prefix, emit),
      refresh: new RefreshQueue(connection, prefix, emit),
      warm: new WarmQueue(connection, prefix, emit),
      schedules: new ScheduleQueue(connection, prefix, emit),
    };
    const opened = await Promise.all(Object.values(queues).map(async (one) => (await one.open()) as Queue));
    return new BoardQueues(queues, new Map(opened.map((queue) => [queue.name, queue])));
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
