/** Computes what is asked for. */
import { requireDatabaseUrl } from 'forebay';
import { logEvents, runWorker, WarmService } from 'forebay/worker';
import { createPrisma } from '../platform/prisma.js';
import { stores } from './stores.js';

await runWorker('warm', (config, logger) => {
  const { connections } = config.worker;
  const prisma = createPrisma(requireDatabaseUrl(config), { name: 'cron-warm', connections });
  return new WarmService({ stores, prisma, config, emit: logEvents(logger) });
});
