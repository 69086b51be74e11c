/** Carries the devices' state to Postgres: any number of these. */
import { requireDatabaseUrl } from 'forebay';
import { logEvents, runWorker, WriteBehindService } from 'forebay/worker';
import { createPrisma } from '../platform/prisma.js';
import { createTable, deviceStores } from './devices.js';

await runWorker('write-behind', (config, logger) => {
  const { connections } = config.worker;
  const prisma = createPrisma(requireDatabaseUrl(config), { name: 'ingestion-worker', connections });
  const stores = deviceStores(prisma);
  const worker = new WriteBehindService({ stores, prisma, config, emit: logEvents(logger) });
  return {
    start: async () => {
      await createTable(prisma);
      await worker.start();
    },
    stop: (deadlineMs) => worker.stop(deadlineMs),
  };
});
