/** The child of cache-process.ts. */
import { setTimeout as wait } from 'node:timers/promises';
import { createPrisma } from '../../examples/platform/prisma.js';
import { connect } from '../../src/app/connect.js';
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import { openConnections } from '../../src/connection/redis.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { redisSettings } from '../../src/redis-settings.js';
import { loadsKey, type Readers } from './messages.js';

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'cache-reader' });
const rows = record<Row, 'id'>({
  id: 'id',
  load: async ([id = '']) => [{ id, loads: await load(id) }],
  persist: async () => undefined,
});
const app = await connect(defineStores({ rows }), { prisma, config });
const { counter } = await openConnections(
  { counter: [redisSettings(process.env.REDIS_URL as string), 'reads'] },
  () => undefined,
);
let loadMs = 0;

interface Row {
  readonly id: string;
  readonly loads: number;
}

async function load(key: string): Promise<number> {
  const loads = await counter.incr(loadsKey({ config }, key));
  await wait(loadMs);
  return loads;
}

async function read({ kind, key, loadTimeoutMs }: Readers): Promise<number | null | undefined> {
  if (kind === 'row') return (await app.stores.rows.get(key))?.loads;
  const options = loadTimeoutMs === undefined ? {} : { loadTimeoutMs };
  return app.patterns.cacheAside(key, () => load(key), 60, options);
}

process.on('message', async (readers: Readers) => {
  loadMs = readers.loadMs;
  const reads = Array.from({ length: readers.callers }, () => read(readers));
  process.send?.([...new Set(await Promise.all(reads))]);
});
process.send?.('ready');
