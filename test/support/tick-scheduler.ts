/** A child process: the real scheduler. */
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import { createPrisma } from '../../src/domain/prisma.js';
import { SchedulerService } from '../../src/services/scheduler.js';
import { schedules, stores } from './tick-stores.js';

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'tick-scheduler' });
await new SchedulerService({ stores, schedules, prisma, config, emit: () => undefined }).start();
process.send?.('ready');
