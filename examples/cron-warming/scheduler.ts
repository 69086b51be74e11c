/** Asks for a run at each tick: any number of these ask once. */
import { requireDatabaseUrl } from 'forebay';
import { logEvents, runWorker, SchedulerService } from 'forebay/worker';
import { createPrisma } from '../platform/prisma.js';
import { schedules } from './schedules.js';
import { stores } from './stores.js';

await runWorker('scheduler', (config, logger) => {
  const prisma = createPrisma(requireDatabaseUrl(config), { name: 'cron-scheduler', connections: 1 });
  return new SchedulerService({ stores, schedules, prisma, config, emit: logEvents(logger) });
});
