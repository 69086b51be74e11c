/** pm2 app: computes values anew before they go stale. */

import { createPrisma } from '../examples/platform/prisma.js';
import { stores } from '../examples/platform/stores.js';
import { requireDatabaseUrl } from '../src/config.js';
import { logEvents, RefreshService, runWorker } from '../src/worker.js';

await runWorker('refresh', (config, logger) => {
  const prisma = createPrisma(requireDatabaseUrl(config), {
    name: 'forebay-refresh',
    connections: config.worker.connections,
  });
  return new RefreshService({ stores, prisma, config, emit: logEvents(logger) });
});
