/** forebay's app process. */

import { createPrisma } from '../../examples/platform/prisma.js';
import { stores } from '../../examples/platform/stores.js';
import { connect, type RecordClient, readConfig, requireDatabaseUrl } from '../../src/index.js';
import { type ProfiledHandlers, profiled } from '../profile/cpu-profile.js';
import { serve } from '../serve.js';
import { write } from './app-calls.js';
import type { Mode } from './contestant.js';
import { type Accepted, cpuMsSince, now } from './in-flight.js';
import type { Row } from './rows.js';
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
const handlers: ForebayAppHandlers & ProfiledHandlers = {
  ...profiled(),
  write(workload, mode) {
    // The workload's rows are of its table, which the union of the two stores can't say.
    const store = app.stores[workload.table] as RecordClient<Row, Row, string>;
    return write({ single: (row) => store.put(row), bulk: (rows) => store.putMany(rows) }, workload, mode);
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
