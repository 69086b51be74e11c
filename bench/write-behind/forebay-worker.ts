/** forebay's worker process: as workers/write-behind.ts, and it can tell its processor time. */
import { createPrisma } from '../../examples/platform/prisma.js';
import { stores } from '../../examples/platform/stores.js';
import { readConfig, requireDatabaseUrl } from '../../src/index.js';
import { createLogger, logEvents, WriteBehindService } from '../../src/worker.js';
import { type UsageHandlers, usageHandlers } from '../leaks/usage.js';
import { type ProfiledHandlers, profiled } from '../profile/cpu-profile.js';
import { serve } from '../serve.js';
import { cpuMsSince } from './in-flight.js';

export interface ForebayWorkerHandlers {
  /** Since the process began, in ms. */
  cpuMs(): Promise<number>;
}

const stopDeadlineMs = 8_000;

const config = readConfig();
const { connections } = config.worker;
const prisma = createPrisma(requireDatabaseUrl(config), { connections, name: 'bench-forebay-worker' });
const emit = logEvents(createLogger({ name: 'bench-forebay-worker', level: config.logLevel }));
const service = new WriteBehindService({ stores, prisma, config, emit });
await service.start();

const handlers: ForebayWorkerHandlers & ProfiledHandlers & UsageHandlers = {
  ...usageHandlers(),
  ...profiled(),
  cpuMs: async () => cpuMsSince(),
};

serve(handlers, async () => {
  await service.stop(stopDeadlineMs);
  await prisma.$disconnect();
});
