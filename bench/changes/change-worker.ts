/** A change worker in a process of its own, as workers/changes.ts: follows Postgres while it is asked to. */
import { createPrisma } from '../../examples/platform/prisma.js';
import { readConfig, requireDatabaseUrl } from '../../src/index.js';
import { ChangesService } from '../../src/worker.js';
import { report, serve } from '../serve.js';
import { stores } from './stores.js';

/** Transactions whose entries were dropped, and how long after their commits, in ms. */
export interface Dropped {
  readonly transactions: number;
  readonly lagMs: number;
}

export interface ChangeWorkerHandlers {
  follow(): Promise<void>;
  leave(): Promise<void>;
}

const stopDeadlineMs = 5_000;

const config = readConfig();
const databaseUrl = requireDatabaseUrl(config);
const prisma = createPrisma(databaseUrl, { connections: 2, name: 'bench-change-worker' });
let service: ChangesService | undefined;

const handlers: ChangeWorkerHandlers = {
  async follow() {
    service = new ChangesService({
      stores,
      prisma,
      databaseUrl,
      config,
      emit: (event) => {
        if (event.type !== 'changes.dropped') return;
        report({ transactions: event.transactions, lagMs: event.lagMs } satisfies Dropped);
      },
    });
    await service.start();
  },
  async leave() {
    await service?.stop(stopDeadlineMs);
    service = undefined;
  },
};

serve(handlers, async () => {
  await handlers.leave();
  await prisma.$disconnect();
});
