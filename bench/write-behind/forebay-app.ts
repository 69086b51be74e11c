/** forebay's app process. */

import { createPrisma } from '../../src/domain/prisma.js';
import { stores } from '../../src/domain/stores.js';
import { connect, readConfig, requireDatabaseUrl } from '../../src/index.js';
import { serve } from '../serve.js';
import { write } from './app-calls.js';
import type { Mode } from './contestant.js';
import { type Accepted, cpuMsSince, now } from './in-flight.js';
import type { Workload } from './workload.js';

export interface ForebayAppHandlers {
  write(workload: Workload, mode: Mode): Promise<Accepted>;
  /** Waits until everything is in the database. */
  drain(): Promise<{ persistedAt: number; cpuMs: number }>;
  /** Rows that workers have written so far. */
  rowsWritten(): Promise<number>;
}

const drainMaxMs = 300_000;

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'bench-forebay-app' });
const app = await connect(stores, { prisma, config });
const { tasks } = app.stores;

const handlers: ForebayAppHandlers = {
  write(workload, mode) {
    return write({ single: (row) => tasks.put(row), bulk: (rows) => tasks.putMany(rows) }, workload, mode);
  },
  async drain() {
    const cpuBefore = process.cpuUsage();
    await app.flush({ timeoutMs: drainMaxMs });
    return { persistedAt: now(), cpuMs: cpuMsSince(cpuBefore) };
  },
  async rowsWritten() {
    return (await app.backlog()).persisted;
  },
};

serve(handlers, async () => {
  await app.close();
  await prisma.$disconnect();
});
