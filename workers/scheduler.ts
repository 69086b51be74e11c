/** pm2 app: does what is scheduled. Any number of them do it once. */

import { createPrisma } from '../examples/platform/prisma.js';
import { schedules } from '../examples/platform/schedules.js';
import { stores } from '../examples/platform/stores.js';
import { requireDatabaseUrl } from '../src/config.js';
import { logEvents, runWorker, SchedulerService } from '../src/worker.js';

await runWorker('scheduler', (config, logger) => {
  const prisma = createPrisma(requireDatabaseUrl(config), {
    name: 'forebay-scheduler',
    connections: config.worker.connections,
  });
  return new SchedulerService({ stores, schedules, prisma, config, emit: logEvents(logger) });
});
