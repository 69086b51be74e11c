/** pm2 app: forebay's own pages, and Bull Board over its queues. */
import { createPrisma } from '../examples/platform/prisma.js';
import { stores } from '../examples/platform/stores.js';
import { BoardService, logEvents, runWorker } from '../src/worker.js';

await runWorker('board', (config, logger) => {
  const { databaseUrl } = config;
  const database = databaseUrl && {
    prisma: createPrisma(databaseUrl, { name: 'forebay-board', connections: 2 }),
  };
  return new BoardService({ stores, ...database, config, emit: logEvents(logger) });
});
