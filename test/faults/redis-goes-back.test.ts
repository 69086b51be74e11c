import pLimit from 'p-limit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import type { Database } from '../../src/database/database.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import { DatabaseBreaker } from '../../src/services/write-behind/database-breaker.js';
import { LedgerWatch } from '../../src/services/write-behind/ledger-watch.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';
import { type CallCounts, countCalls } from '../support/counted-database.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';

const projects = record({ model: Project, counters: ['touches'], partitions: 1 });
const stores = defineStores({ projects, projectTouches: counter({ of: projects, field: 'touches' }) });
const lane = 'projects/0';

let server: OwnRedis;
let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;
let workers: WriteBehindService[];
let database: Database;
let calls: CallCounts;

beforeAll(async () => {
  server = await startOwnRedis();
});

afterAll(() => server.remove());

beforeEach(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores, { config: ownConfig() });
  ({ database, calls } = countCalls(environment.prisma));
  workers = [];
});

afterEach(async () => {
  for (const worker of workers) await worker.stop(5_000);
  await environment.close();
  await server.admin.flushall();
});

describe('when Redis has gone back in time', () => {
  it('it is told once, new writes land exactly, and what is known to be applied is not applied again', async () => {
    await startWorker();
    await add(1);
    const older = await save();
    await add(10);
    const ledger = await ledgerNumber();
    await restore(older);
    await reconnected();
    await expect.poll(() => batchNumber()).toBe(ledger);
    expect(regresses()).toEqual([
      {
        type: 'redis.regressed',
        lane,
        batch: older.batch,
        ledger,
        since: expect.stringMatching(/^\d{4}-.*Z$/),
        until: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
    await add(100);
    expect(await touches()).toBe(111);
    expect(BigInt(await ledgerNumber())).toBeGreaterThan(BigInt(ledger));
    await startWorker();
    await reconnected();
    expect(regresses()).toHaveLength(1);
  });

  it('a batch that was sealed then, and applied since, is not applied again', async () => {
    await add(1, { isFlushed: false });
    const number = await seal();
    const older = await save();
    await startWorker();
    await add(10);
    const ledger = await ledgerNumber();
    await restore(older);
    await reconnected();
    await app.flush();
    expect(await touches()).toBe(11);
    // A worker that took the batch before its connection broke tells of it behind the acknowledgement.
    await expect.poll(regresses).toMatchObject([{ batch: number, ledger }]);
  });

  it('it is told by the worker that finds it out when its batch had been applied before', async () => {
    await startWorker();
    await add(1, { isFlushed: false });
    await app.flush();
    const [sealed] = environment.events.filter((event) => event.type === 'batch.sealed');
    await add(10);
    const ledger = await ledgerNumber();
    // As after a restore that broke no connection.
    const { keys } = laneOf();
    const number = (sealed as { number: string }).number;
    await server.admin.hset(keys.sealed, 'projectTouches:p', '1');
    await server.admin.hset(keys.meta, { batch: number, sealed: number, since: number });
    await expect.poll(() => regresses()).toMatchObject([{ batch: number, ledger }]);
    expect(await touches()).toBe(11);
  });

  it('a Redis that was emptied counts too, when the worker starts', async () => {
    await startWorker();
    await add(1);
    const ledger = await ledgerNumber();
    await workers.pop()?.stop(5_000);
    await server.admin.flushall();
    await startWorker();
    expect(regresses()).toEqual([
      { type: 'redis.regressed', lane, batch: '0', ledger, until: expect.any(String) },
    ]);
    await add(10);
    expect(await touches()).toBe(11);
  });

  it.each([
    { reply: 1, what: 'that the lane is behind' },
    { reply: 2, what: 'that it was lifted' },
  ])('it is told though the answer $what was lost, and told once', async ({ reply }) => {
    await startWorker();
    await add(1);
    const older = await save();
    await add(10);
    const ledger = await ledgerNumber();
    await workers.pop()?.stop(5_000);
    await restore(older);
    await expect(watch({ losesReply: reply }).compareOnce([laneOf()])).rejects.toThrow('answer is lost');
    const next = watch();
    await next.compareOnce([laneOf()]);
    await next.compareOnce([laneOf()]);
    expect(await batchNumber()).toBe(ledger);
    expect(regresses()).toMatchObject([{ batch: older.batch, ledger }]);
  });

  it('a patch of a row as it was cached shows what the database has of the others, once it is persisted', async () => {
    await startWorker();
    await app.stores.projects.put({ id: 'p', name: 'Harbour', description: 'before' });
    await app.flush();
    await app.stores.projects.get('p');
    const older = await save();
    await app.stores.projects.patch('p', { description: 'after' });
    await app.flush();
    await workers.pop()?.stop(5_000);
    await restore(older);
    await app.stores.projects.patch('p', { name: 'Quay' });
    await watch().compareOnce([laneOf()]);
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'Quay', description: 'before' });
    await startWorker();
    await app.flush();
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'Quay', description: 'after' });
  });

  it('once more while what was cached is dropped, that is dropped once more', async () => {
    await startWorker();
    await app.stores.projects.put({ id: 'p', name: 'Harbour' });
    await app.flush();
    await app.stores.projects.get('p');
    const older = await save();
    await app.stores.projects.put({ id: 'p', name: 'Quay' });
    await app.flush();
    await workers.pop()?.stop(5_000);
    await restore(older);
    const goBackAgain = async (): Promise<void> => {
      await restore(older);
      await server.admin.hset(laneOf().keys.meta, 'generation', 'another server’s');
    };
    await watch({ before: { raise: 2, happens: goBackAgain } }).compareOnce([laneOf()]);
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'Quay' });
    expect(await batchNumber()).toBe(await ledgerNumber());
  });

  it('and its clock too, a batch still gets a greater number than any that is applied', async () => {
    const buffer = new WriteBuffer(server.admin, environment.config.prefix);
    await add(1, { isFlushed: false });
    const floor = 4_000_000_000_000_000n;
    const sealed = await buffer.seal(laneOf(), { recordsMax: 10, delayMs: 0, floor });
    expect(sealed).toMatchObject({ kind: 'batch', batch: { number: String(floor + 1n) } });
  });
});

it('a Redis that has lost nothing is not said to have', async () => {
  await startWorker();
  for (let i = 0; i < 5; i++) {
    await add(1);
    await reconnected();
  }
  await startWorker();
  expect(regresses()).toEqual([]);
});

function ownConfig(): Environment['config'] {
  return { ...environment.config, redis: server.settings, queueRedis: server.settings };
}

async function startWorker(): Promise<void> {
  const emit = (event: ForebayEvent): void => void environment.events.push(event);
  const worker = new WriteBehindService({ stores, prisma: database, config: ownConfig(), emit });
  await worker.start();
  workers.push(worker);
}

interface Watched {
  /** The answer to this `raise` is lost. */
  readonly losesReply?: number;
  /** What happens before this `raise`. */
  readonly before?: { readonly raise: number; happens(): Promise<void> };
}

/** One worker's. */
function watch({ losesReply, before }: Watched = {}): LedgerWatch {
  const { prefix } = environment.config;
  const emit = (event: ForebayEvent): void => void environment.events.push(event);
  const { signal } = new AbortController();
  let raises = 0;
  class LosingBuffer extends WriteBuffer {
    override async raise(...args: Parameters<WriteBuffer['raise']>): ReturnType<WriteBuffer['raise']> {
      raises += 1;
      const raise = raises;
      if (raise === before?.raise) await before.happens();
      const reply = await super.raise(...args);
      if (raise === losesReply) throw new Error('its answer is lost');
      return reply;
    }
  }
  return new LedgerWatch({
    lanes: new Lanes(stores, prefix),
    redis: server.admin,
    buffer: new LosingBuffer(server.admin, prefix),
    database,
    breaker: new DatabaseBreaker({ probe: async () => undefined, emit, limit: pLimit(1), signal }),
    prefix,
    emit,
    signal,
  });
}

/** The row as it is in every test, and its counter. */
async function add(delta: number, { isFlushed } = { isFlushed: true }): Promise<void> {
  await app.stores.projects.put({ id: 'p', name: 'Harbour' });
  await app.stores.projectTouches.add('p', delta);
  if (isFlushed) await app.flush();
}

function laneOf() {
  return new Lanes(stores, environment.config.prefix).all[0] as Lanes['all'][number];
}

async function seal(): Promise<string> {
  const buffer = new WriteBuffer(server.admin, environment.config.prefix);
  const reply = await buffer.seal(laneOf(), { recordsMax: 1_000, delayMs: 0, floor: 0n });
  return reply.kind === 'batch' ? reply.batch.number : '';
}

interface Saved {
  readonly batch: string;
  /** Key → what DUMP said of it. */
  readonly values: ReadonlyMap<string, Buffer>;
}

/** The lane's keys, as a backup has them. */
async function save(): Promise<Saved> {
  const keys = await server.admin.keys(`{${environment.config.prefix}:*`);
  const dumps = await Promise.all(keys.map((key) => server.admin.dumpBuffer(key)));
  return { batch: await batchNumber(), values: new Map(keys.map((key, i) => [key, dumps[i] as Buffer])) };
}

async function restore({ values }: Saved): Promise<void> {
  const keys = await server.admin.keys(`{${environment.config.prefix}:*`);
  const restoring = server.admin.multi();
  if (keys.length > 0) restoring.del(...keys);
  for (const [key, dump] of values) restoring.restore(key, 0, dump);
  await restoring.exec();
}

/** As at the end of a failover: the workers' connections break and come back, and the ledger has been read. */
async function reconnected(): Promise<void> {
  const { queries } = calls;
  await server.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await expect.poll(() => calls.queries, { interval: 20 }).toBeGreaterThan(queries);
  await app.backlog();
}

async function batchNumber(): Promise<string> {
  return (await server.admin.hget(laneOf().keys.meta, 'batch')) ?? '';
}

async function ledgerNumber(): Promise<string> {
  const rows = await environment.prisma.$queryRawUnsafe<{ batch: string }[]>(
    'SELECT batch::text AS batch FROM forebay_ledger WHERE lane = $1',
    `${environment.config.prefix}:${lane}`,
  );
  return rows[0]?.batch ?? '';
}

async function touches(): Promise<number> {
  const row = await environment.prisma.project.findUniqueOrThrow({ where: { id: 'p' } });
  return Number(row.touches);
}

function regresses(): ForebayEvent[] {
  return environment.events.filter(({ type }) => type === 'redis.regressed');
}
