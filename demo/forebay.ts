/** The demo's app: the platform's stores on the demo's own place, and the tables behind them. */
import { createPrisma } from '../examples/platform/prisma.js';
import { stores } from '../examples/platform/stores.js';
import { connect, isForebayError, redisSettings } from '../src/index.js';
import type { TableReaders } from './compare.js';
import { DemoError } from './errors.js';
import { demoPrefix } from './fresh-state.js';
import type { DemoStores } from './replay.js';
import type { Backlog } from './watch.js';

export interface DemoApp {
  readonly stores: DemoStores;
  readonly tables: TableReaders;
  backlog(): Promise<Backlog>;
  /**
   * Resolves when everything accepted is in the database.
   * @throws DemoError NOT_DRAINED when the workers write nothing for a minute
   */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** The longest that a drain may go on without a row being written. */
const standstillMs = 60_000;
const connections = 4;

export async function openApp(databaseUrl: string, redisUrl: string): Promise<DemoApp> {
  const prisma = createPrisma(databaseUrl, { name: 'forebay-demo', connections });
  const redis = redisSettings(redisUrl);
  const app = await connect(stores, { prisma, config: { prefix: demoPrefix, redis, queueRedis: redis } });
  return {
    stores: app.stores,
    tables: {
      users: (after, take) => prisma.user.findMany(pageOf(after, take)),
      projects: (after, take) => prisma.project.findMany(pageOf(after, take)),
      tasks: (after, take) => prisma.task.findMany(pageOf(after, take)),
    },
    backlog: () => app.backlog(),
    drain: () => drain(app),
    async close() {
      await app.close();
      await prisma.$disconnect();
    },
  };
}

function pageOf(after: string | undefined, take: number) {
  return {
    orderBy: { id: 'asc' as const },
    take,
    ...(after === undefined ? {} : { where: { id: { gt: after } } }),
  };
}

type Drainable = { flush(options: { timeoutMs: number }): Promise<void>; backlog(): Promise<Backlog> };

async function drain(app: Drainable): Promise<void> {
  let before = -1;
  for (;;) {
    try {
      return await app.flush({ timeoutMs: standstillMs });
    } catch (error) {
      if (!isForebayError(error, 'FLUSH_TIMEOUT')) throw error;
      const { persisted, dirty, sealed } = await app.backlog();
      if (persisted === before) throw standstill(dirty + sealed, error);
      before = persisted;
    }
  }
}

function standstill(backlog: number, cause: unknown): DemoError {
  return new DemoError(
    'NOT_DRAINED',
    `The workers leave ${backlog} records unwritten. The board shows their errors.`,
    cause,
  );
}
