/** Limits in Postgres through a pooler that knows no sessions. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import { createPrismaAdapter } from '../../src/connection/postgres.js';
import { hasPgBouncer, type PgBouncer, startPgBouncer } from '../support/pgbouncer.js';

const settings = `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
  current_setting('idle_in_transaction_session_timeout') AS idle`;
const limits = [{ statement: '1min', lock: '30s', idle: '3s' }];
const none = [{ statement: '0', lock: '0', idle: '0' }];

let pooler: PgBouncer;
let pooled: PrismaClient;
let plain: PrismaClient;

const clientOf = (url: string): PrismaClient =>
  new PrismaClient({ adapter: createPrismaAdapter(url, { connections: 3, name: 'pooled-limits' }) });

describe.runIf(hasPgBouncer)('through PgBouncer in transaction mode', () => {
  beforeAll(async () => {
    pooler = await startPgBouncer(inject('databaseUrl'));
    const url = new URL(pooler.url);
    url.searchParams.set('pgbouncer', 'true');
    pooled = clientOf(url.toString());
    plain = clientOf(inject('databaseUrl'));
  });

  afterAll(async () => {
    await pooled?.$disconnect();
    await plain?.$disconnect();
    await pooler?.stop();
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a statement outside of a transaction', () => pooled.$queryRawUnsafe(settings)],
    ['a transaction', () => pooled.$transaction((tx) => tx.$queryRawUnsafe(settings))],
    [
      'a transaction of statements',
      async () => (await pooled.$transaction([pooled.$queryRawUnsafe(settings)]))[0],
    ],
    [
      'a transaction of another isolation',
      () => pooled.$transaction((tx) => tx.$queryRawUnsafe(settings), { isolationLevel: 'Serializable' }),
    ],
    [
      'a statement after one that failed',
      async () => {
        await expect(pooled.$queryRawUnsafe('SELECT 1 / 0')).rejects.toThrow('division by zero');
        return pooled.$queryRawUnsafe(settings);
      },
    ],
  ])('limits hold for %s', async (_, ask) => {
    expect(await ask()).toEqual(limits);
  });

  it('limits hold for many at once, and none is left in a session', async () => {
    const asked = Array.from({ length: 30 }, (_, i) =>
      i % 2 === 0
        ? pooled.$queryRawUnsafe(settings)
        : pooled.$transaction((tx) => tx.$queryRawUnsafe(settings)),
    );
    for (const found of await Promise.all(asked)) expect(found).toEqual(limits);
    const session = new PrismaClient({
      adapter: new (await import('@prisma/adapter-pg')).PrismaPg({ connectionString: pooler.url, max: 1 }),
    });
    expect(await session.$queryRawUnsafe(settings)).toEqual(none);
    await session.$disconnect();
  });

  it('what a commit refuses is told', async () => {
    const table = 'pooled_limits_deferred';
    await plain.$executeRawUnsafe(`CREATE TABLE ${table} (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)`);
    await expect(pooled.$executeRawUnsafe(`INSERT INTO ${table} VALUES (1), (1)`)).rejects.toThrow(/unique/i);
    expect(await pooled.$queryRawUnsafe(`SELECT * FROM ${table}`)).toEqual([]);
    await plain.$executeRawUnsafe(`DROP TABLE ${table}`);
  });

  it('a transaction in which nothing is asked for long is ended by Postgres', async () => {
    const ofWorker = `SELECT count(*)::int AS count FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%of one that pauses%'`;
    const pausing = pooled.$transaction(
      async (tx) => {
        await tx.$queryRawUnsafe(`SELECT 'of one that pauses'`);
        await expect.poll(() => plain.$queryRawUnsafe(ofWorker), { timeout: 30_000 }).toEqual([{ count: 0 }]);
        await tx.$queryRawUnsafe('SELECT 1');
      },
      { timeout: 60_000 },
    );
    await expect(pausing).rejects.toThrow();
    expect(await pooled.$queryRawUnsafe(settings)).toEqual(limits);
  });
});
