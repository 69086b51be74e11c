/** A child process: the real warm worker, which tells of its queries and its memory. */

import { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import { createPrismaAdapter } from '../../src/connection/postgres.js';
import { WarmService } from '../../src/services/warm/warm.js';
import { stores } from '../support/warm-stores.js';

export interface WarmWorkerReport {
  /** Queries of its Prisma client so far. */
  readonly queries: number;
  readonly heapBytes: number;
}

const config = readConfig();
const adapter = createPrismaAdapter(requireDatabaseUrl(config), { connections: 2, name: 'warm-worker' });
const prisma = new PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] });
let queries = 0;
prisma.$on('query', () => {
  queries += 1;
  // What is left of a page is not what it took.
  globalThis.gc?.();
  process.send?.({ queries, heapBytes: process.memoryUsage().heapUsed } satisfies WarmWorkerReport);
});
const service = new WarmService({ stores, prisma, config, emit: () => undefined });
await service.start();
process.send?.('ready');
