/** Waits until the statistics are in the cache, without asking for them, and reads them. */
import { setTimeout as pause } from 'node:timers/promises';
import { connect, readConfig, requireDatabaseUrl } from 'forebay';
import { createPrisma } from '../platform/prisma.js';
import { stores } from './stores.js';

const prisma = createPrisma(requireDatabaseUrl(readConfig()), { name: 'cron-warming', connections: 1 });
const app = await connect(stores, { prisma });

while (!(await app.cache.exists('statistics:of:platform'))) await pause(50);
const statistics = await app.stores.statistics.get('platform');

process.stdout.write(`${JSON.stringify({ statistics, loads: app.cache.getStats().loads })}\n`);
await app.close();
await prisma.$disconnect();
