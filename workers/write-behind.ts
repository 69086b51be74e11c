/** pm2 app: carries accepted writes to the database. */

import { createPrisma } from '../examples/platform/prisma.js';
import { stores } from '../examples/platform/stores.js';
import { requireDatabaseUrl } from '../src/config.js';
import { logEvents, runWorker, WriteBehindService } from '../src/worker.js';

await runWorker('write-behind', (config, logger) => {
  const prisma = createPrisma(requireDatabaseUrl(config), {
    name: 'forebay-write-behind',
    connections: config.worker.connections,
  });
  return new WriteBehindService({ stores, prisma, config, emit: logEvents(logger) });
});
