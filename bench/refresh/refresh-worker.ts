/** The refresh worker's process. */
import { createPrisma } from '../../examples/platform/prisma.js';
import { readConfig, requireDatabaseUrl } from '../../src/index.js';
import { createLogger, logEvents, RefreshService } from '../../src/worker.js';
import { serve } from '../serve.js';
import { redis, stores } from './reports.js';

export type RefreshWorkerHandlers = Record<never, never>;

const stopDeadlineMs = 8_000;

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'bench-refresh-worker' });
const emit = logEvents(createLogger({ name: 'bench-refresh-worker', level: config.logLevel }));
const service = new RefreshService({ stores, prisma, config, emit });
await service.start();

serve({}, async () => {
  await service.stop(stopDeadlineMs);
  redis.disconnect();
  await prisma.$disconnect();
});
