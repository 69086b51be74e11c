/** A child process: the real refresh worker. */
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import { createPrisma } from '../../src/domain/prisma.js';
import { stores } from '../../src/domain/stores.js';
import { RefreshService } from '../../src/services/refresh.js';

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 2, name: 'refresh-worker' });
const service = new RefreshService({ stores, prisma, config, emit: () => undefined });
await service.start();
process.send?.('ready');
