/** pm2 app: drops the entries of rows that other writers have changed. Of several one drops, the others stand by. */

import { createPrisma } from '../examples/platform/prisma.js';
import { stores } from '../examples/platform/stores.js';
import { requireDatabaseUrl } from '../src/config.js';
import { ChangesService, logEvents, runWorker } from '../src/worker.js';

await runWorker('changes', (config, logger) => {
  const databaseUrl = requireDatabaseUrl(config);
  const prisma = createPrisma(databaseUrl, { name: 'forebay-changes', connections: 2 });
  return new ChangesService({ stores, prisma, databaseUrl, config, emit: logEvents(logger) });
});
