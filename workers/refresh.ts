/** pm2 app: computes values anew before they go stale. */
import { requireDatabaseUrl } from '../src/config.js';
import { createPrisma } from '../src/domain/prisma.js';
import { stores } from '../src/domain/stores.js';
import { logEvents, RefreshService, runWorker } from '../src/worker.js';

await runWorker('refresh', (config, logger) => {
  const prisma = createPrisma(requireDatabaseUrl(config), {
    name: 'forebay-refresh',
    connections: config.worker.connections,
  });
  return new RefreshService({ stores, prisma, config, emit: logEvents(logger) });
});
