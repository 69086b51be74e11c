/** The child of cache-process.ts. */
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from '../../src/client/forebay.js';
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import { openConnections } from '../../src/connection/redis.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createPrisma } from '../../src/domain/prisma.js';
import { redisSettings } from '../../src/redis-settings.js';
import { loadsKey, type Readers } from './cache-process.js';

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'cache-reader' });
const app = await connect(defineStores({}), { prisma, config });
const { counter } = await openConnections(
  { counter: [redisSettings(process.env.REDIS_URL as string), 'reads'] },
  () => undefined,
);

process.on('message', async ({ key, callers, loadMs, loadTimeoutMs }: Readers) => {
  const load = async (): Promise<number> => {
    const loads = await counter.incr(loadsKey({ config }, key));
    await wait(loadMs);
    return loads;
  };
  const reads = Array.from({ length: callers }, () =>
    app.patterns.cacheAside(key, load, 60, { loadTimeoutMs }),
  );
  process.send?.([...new Set(await Promise.all(reads))]);
});
process.send?.('ready');
