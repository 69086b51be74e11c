/** A child process: the real refresh worker. */

import { createPrisma } from '../../examples/platform/prisma.js';
import { stores } from '../../examples/platform/stores.js';
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import { RefreshService } from '../../src/services/refresh/refresh.js';

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 2, name: 'refresh-worker' });
const service = new RefreshService({ stores, prisma, config, emit: () => undefined });
await service.start();
process.send?.('ready');
