/** An app that does what apps do at a steady rate: it puts, reads and counts, in rows of which there are so many. */
import { setTimeout as wait } from 'node:timers/promises';
import { createPrisma } from '../../examples/platform/prisma.js';
import { stores } from '../../examples/platform/stores.js';
import { connect, readConfig, requireDatabaseUrl } from '../../src/index.js';
import { serve } from '../serve.js';
import { type UsageHandlers, usageHandlers } from './usage.js';

export interface LeaksAppHandlers extends UsageHandlers {
  /** Puts all rows. */
  prepare(): Promise<void>;
  work(perSecond: number, seconds: number): Promise<void>;
  drain(): Promise<void>;
}

const rows = 5_000;
const tickMs = 10;

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 2, name: 'bench-leaks' });
const app = await connect(stores, { prisma, config });
const { projects, projectViews } = app.stores;
let calls = 0;

const drain = (): Promise<void> => app.flush({ timeoutMs: 120_000 });

function call(): Promise<unknown> {
  const id = `project-${(calls * 7) % rows}`;
  const kind = calls++ % 3;
  if (kind === 0) return projects.put({ id, name: `name ${calls}` });
  return kind === 1 ? projects.get(id) : projectViews.add(id, 1n);
}

const handlers: LeaksAppHandlers = {
  ...usageHandlers(),
  async prepare() {
    await projects.putMany(Array.from({ length: rows }, (_, at) => ({ id: `project-${at}`, name: 'new' })));
    await drain();
  },
  async work(perSecond, seconds) {
    const startedAt = performance.now();
    const under: Promise<unknown>[] = [];
    let issued = 0;
    while (performance.now() - startedAt < 1_000 * seconds) {
      const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1_000);
      for (; issued < due; issued++) under.push(call());
      await Promise.all(under.splice(0));
      await wait(tickMs);
    }
  },
  drain,
};

serve(handlers, async () => {
  await app.close();
  await prisma.$disconnect();
});
