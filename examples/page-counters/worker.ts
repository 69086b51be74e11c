/** Carries the counts to Postgres: any number of these. */
import { requireDatabaseUrl } from 'forebay';
import { logEvents, runWorker, WriteBehindService } from 'forebay/worker';
import { createPrisma } from '../platform/prisma.js';
import { stores } from './stores.js';

await runWorker('write-behind', (config, logger) => {
  const { connections } = config.worker;
  const prisma = createPrisma(requireDatabaseUrl(config), { name: 'page-counters-worker', connections });
  return new WriteBehindService({ stores, prisma, config, emit: logEvents(logger) });
});
