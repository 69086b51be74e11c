/** pm2 app: computes values before they are asked for. */
import { requireDatabaseUrl } from '../src/config.js';
import { createPrisma } from '../src/domain/prisma.js';
import { stores } from '../src/domain/stores.js';
import { logEvents, runWorker, WarmService } from '../src/worker.js';

await runWorker('warm', (config, logger) => {
  const prisma = createPrisma(requireDatabaseUrl(config), {
    name: 'forebay-warm',
    connections: config.worker.connections,
  });
  return new WarmService({ stores, prisma, config, emit: logEvents(logger) });
});
