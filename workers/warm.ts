/** pm2 app: computes values before they are asked for. */

import { createPrisma } from '../examples/platform/prisma.js';
import { stores } from '../examples/platform/stores.js';
import { requireDatabaseUrl } from '../src/config.js';
import { logEvents, runWorker, WarmService } from '../src/worker.js';

await runWorker('warm', (config, logger) => {
  const prisma = createPrisma(requireDatabaseUrl(config), {
    name: 'forebay-warm',
    connections: config.worker.connections,
  });
  return new WarmService({ stores, prisma, config, emit: logEvents(logger) });
});
