/** A child process: the real scheduler. */

import { createPrisma } from '../../examples/platform/prisma.js';
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import { SchedulerService } from '../../src/services/scheduler/scheduler.js';
import { schedules, stores } from '../support/tick-stores.js';

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'tick-scheduler' });
await new SchedulerService({ stores, schedules, prisma, config, emit: () => undefined }).start();
process.send?.('ready');
