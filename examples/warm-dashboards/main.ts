/** Reads a dashboard all the time until workers have computed it anew twice, and says how long readers waited. */
import { setTimeout as pause } from 'node:timers/promises';
import { connect, readConfig, requireDatabaseUrl } from 'forebay';
import { createPrisma } from '../platform/prisma.js';
import { stores } from './stores.js';

const prisma = createPrisma(requireDatabaseUrl(readConfig()), { name: 'dashboards', connections: 2 });
await prisma.project.create({
  data: { id: 'quay', name: 'Quay', tasks: { create: [{ title: 'Planks' }, { title: 'Ropes' }] } },
});
const app = await connect(stores, { prisma });

const first = await app.stores.dashboards.get('quay');
const computations = new Set([first?.computedAt]);
let [reads, slowestMs] = [0, 0];
while (computations.size < 3) {
  const begin = performance.now();
  const dashboard = await app.stores.dashboards.get('quay');
  slowestMs = Math.max(slowestMs, performance.now() - begin);
  reads += 1;
  computations.add(dashboard?.computedAt);
  await pause(5);
}

process.stdout.write(
  `${JSON.stringify({ openTasks: first?.openTasks, reads, computations: computations.size, slowestMs: Math.round(slowestMs) })}\n`,
);
await app.close();
await prisma.$disconnect();
