/** Computes what is read and due: any number of these; each value is computed by one. */
import { requireDatabaseUrl } from 'forebay';
import { logEvents, RefreshService, runWorker } from 'forebay/worker';
import { createPrisma } from '../platform/prisma.js';
import { stores } from './stores.js';

await runWorker('refresh', (config, logger) => {
  const { connections } = config.worker;
  const prisma = createPrisma(requireDatabaseUrl(config), { name: 'dashboards-worker', connections });
  return new RefreshService({ stores, prisma, config, emit: logEvents(logger) });
});
