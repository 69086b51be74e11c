/** A write-behind worker in a process of its own. */
import { createPrisma } from '../../examples/platform/prisma.js';
import { readConfig, requireDatabaseUrl } from '../../src/index.js';
import { WriteBehindService } from '../../src/worker.js';
import { serve } from '../serve.js';
import { stores } from './stores.js';

const stopDeadlineMs = 8_000;

const config = readConfig();
const { connections } = config.worker;
const prisma = createPrisma(requireDatabaseUrl(config), { connections, name: 'bench-tenants-worker' });
const service = new WriteBehindService({ stores, prisma, config, emit: () => undefined });
await service.start();

serve({}, async () => {
  await service.stop(stopDeadlineMs);
  await prisma.$disconnect();
});
