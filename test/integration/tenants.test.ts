/** Stores whose records belong to tenants: one that writes much delays nobody else, and meets its own limit. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import type { Write } from '../../src/buffer/step-replies.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { withTenants } from '../../src/client/writing/lane-queue.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { shareOf } from '../../src/definitions/tenant.js';
import type { ForebayError } from '../../src/errors.js';
import { command } from '../support/command-line.js';
import { createEnvironment, type Environment, removeKeys } from '../support/environment.js';

const tenant = (id: string): string => {
  if (id === 'none') throw new Error('of nobody');
  return id.split(':', 1)[0] as string;
};

function storesWith(options: { tenant?: (id: string) => string; parentWaitMs?: number }) {
  const limits = { partitions: 1, batchRecordsMax: 20, dirtyMax: 100, delayMs: 0 };
  const projects = record({ model: Project, counters: ['touches'], ...limits, ...options });
  return defineStores({ projects, projectTouches: counter({ of: projects, field: 'touches' }) });
}

const stores = storesWith({ tenant });

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

const project = (id: string) => ({ id, name: `of ${id}` });
const rowsOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => project(`${name}:${i}`));

function laneOf(of = stores, prefix = environment.config.prefix): Lane {
  return new Lanes(of, prefix).all[0] as Lane;
}

/** What the batches have, one after the other, until nothing is left. */
async function batches(lane: Lane): Promise<string[][]> {
  const buffer = new WriteBuffer(environment.redis, environment.config.prefix);
  const all: string[][] = [];
  for (;;) {
    const reply = await buffer.seal(lane, { recordsMax: 20, delayMs: 0, floor: 0n });
    if (reply.kind !== 'batch') return all;
    all.push(await environment.redis.hkeys(lane.keys.sealed));
    await buffer.ack(lane, reply.batch.number);
  }
}

describe('where one tenant has written much', () => {
  it.each([
    { of: 'with tenants', options: { tenant }, inBatch: 0 },
    { of: 'without', options: {}, inBatch: 2 },
  ])("another's record is in a batch by its own place, of a store $of", async ({ options, inBatch }) => {
    const own = storesWith(options);
    const app = await environment.connect(own);
    await app.stores.projects.putMany(rowsOf('much', 45));
    await app.stores.projects.put(project('little:0'));
    const found = await batches(laneOf(own));
    const ofOrder = found.findIndex((fields) => fields.includes('projects:little:0'));
    expect(ofOrder).toBe(inBatch);
    expect(found.map(({ length }) => length)).toEqual([20, 20, 6]);
    expect(found.flat().sort()).toEqual(
      [...rowsOf('much', 45), project('little:0')].map(({ id }) => `projects:${id}`).sort(),
    );
  });

  it("another's record that was tried is tried again before the rest of it", async () => {
    const app = await environment.connect(stores);
    const lane = laneOf();
    const buffer = new WriteBuffer(environment.redis, environment.config.prefix);
    await app.stores.projects.putMany(rowsOf('much', 45));
    await app.stores.projects.put(project('little:0'));
    const reply = await buffer.seal(lane, { recordsMax: 20, delayMs: 0, floor: 0n });
    expect(await environment.redis.hexists(lane.keys.sealed, 'projects:little:0')).toBe(1);
    const { number } = (reply as { batch: { number: string } }).batch;
    const field = 'projects:little:0';
    const waits = {
      field,
      fate: 'wait',
      waitMs: 60_000,
      letter: field,
      row: '',
      error: '',
      anchor: '',
    } as const;
    await buffer.split(lane, number, [waits]);
    await buffer.ack(lane, `${await environment.redis.hget(lane.keys.meta, 'sealed')}`);
    await environment.redis.zadd(lane.keys.retries, 'XX', Date.now() * 1_000, field);
    const [next] = await batches(lane);
    expect(next).toEqual([field]);
  });

  it('none of it becomes a dead letter while the server refuses all', async () => {
    const own = storesWith({ tenant, parentWaitMs: 1 });
    const app = await environment.connect(own);
    const buffer = new WriteBuffer(environment.redis, environment.config.prefix);
    await app.stores.projects.putMany(rowsOf('much', 25));
    const ofOrder = await buffer.seal(laneOf(own), { recordsMax: 20, delayMs: 0, floor: 0n });
    await buffer.ack(laneOf(own), (ofOrder as { batch: { number: string } }).batch.number);
    const { prisma, events } = environment;
    await prisma.$executeRawUnsafe(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '55000'; END $$`);
    await prisma.$executeRawUnsafe(
      'CREATE TRIGGER refuse BEFORE INSERT ON projects FOR EACH ROW EXECUTE FUNCTION refuse()',
    );
    await environment.startWorker(own);
    const voids = () => events.filter(({ type }) => type === 'batch.void').length;
    await expect.poll(voids, { timeout: 10_000 }).toBeGreaterThan(1);
    await prisma.$executeRawUnsafe('DROP TRIGGER refuse ON projects');
    await app.flush();
    expect(await prisma.project.count()).toBe(5);
    expect((await app.backlog()).dead).toBe(0);
  });

  it('it alone meets BACKLOG_FULL, at half of the lane; what is dirty of it can be written on', async () => {
    const app = await environment.connect(stores);
    const ends = await Promise.allSettled(rowsOf('much', 80).map((row) => app.stores.projects.put(row)));
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as ForebayError] : []));
    expect(ends.length - refused.length).toBe(50);
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['BACKLOG_FULL']));
    await app.stores.projects.put({ ...project('much:0'), name: 'again' });
    for (let i = 0; i < 20; i++) await app.stores.projects.put(project(`little${i}:0`));
    await expect(app.stores.projects.put(project('much:new'))).rejects.toMatchObject({
      code: 'BACKLOG_FULL',
    });
  });

  it('all of it is in the database, its counters too, and each receipt follows its own write', async () => {
    const app = await environment.connect(stores);
    const written = rowsOf('much', 20);
    const receipts = await Promise.all(written.map((row) => app.stores.projects.put(row)));
    await Promise.all(written.map(({ id }) => app.stores.projectTouches.add(id, 3)));
    await app.stores.projects.delete('much:1');
    await environment.startWorker(stores);
    await Promise.all(
      receipts.slice(2).map(async (receipt, i) => {
        await receipt.persisted();
        const id = `much:${i + 2}`;
        expect(await environment.prisma.project.findUnique({ where: { id } })).toMatchObject({ id });
      }),
    );
    await app.flush();
    const rows = await environment.prisma.project.findMany({ orderBy: { id: 'asc' } });
    const expected = written.flatMap(({ id }) => (id === 'much:1' ? [] : [{ id, touches: 3 }]));
    expect(rows.map(({ id, touches }) => ({ id, touches }))).toEqual(
      expected.sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
    expect(await app.backlog()).toMatchObject({ dirty: 0, sealed: 0, waiting: 0 });
  });
});

describe('while a tenant is never quiet', () => {
  it.each([
    { of: 'other records each time', idOf: (round: number) => `much:${round}` },
    { of: 'the same ones again', idOf: () => 'much' },
  ])('what was accepted before ends a flush, and each receipt: with $of', async ({ idOf }) => {
    const app = await environment.connect(stores);
    const buffer = new WriteBuffer(environment.redis, environment.config.prefix);
    const lane = laneOf();
    const write = (round: number) => app.stores.projects.putMany(rowsOf(idOf(round), 19));
    const receipts = await write(0);
    let isEnded = false;
    const timeoutMs = 5_000;
    const ends = Promise.allSettled([
      app.flush({ timeoutMs }),
      ...receipts.map((receipt) => receipt.persisted({ timeoutMs })),
    ]).finally(() => {
      isEnded = true;
    });
    for (let round = 1; !isEnded; round++) {
      const reply = await buffer.seal(lane, { recordsMax: 20, delayMs: 0, floor: 0n });
      await write(round);
      if (reply.kind === 'batch') await buffer.ack(lane, reply.batch.number);
      expect((await buffer.inspect(lane)).waiting).toBeGreaterThan(0);
    }
    expect((await ends).filter(({ status }) => status === 'rejected')).toEqual([]);
  });

  it('a change of the number of lanes ends, and so does `forebay flush --wait`; every row is exact', async () => {
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    let isStopped = false;
    let rounds = 0;
    const writing = (async () => {
      for (; !isStopped; rounds++)
        await Promise.all(
          rowsOf('much', 30).map((row) => app.stores.projects.put({ ...row, name: `${rounds}` })),
        );
    })();
    const { env } = environment;
    const ends = [];
    for (const args of [
      ['flush', '--wait'],
      ['lanes', 'projects', '2'],
    ])
      ends.push(await command(args, { env }));
    isStopped = true;
    await writing;
    expect(ends.map(({ code, err }) => [code, err])).toEqual(ends.map(() => [0, '']));
    await app.flush();
    const rows = await environment.prisma.project.findMany();
    expect(rows.map(({ name }) => name)).toEqual(rowsOf('much', 30).map(() => `${rounds - 1}`));
  });
});

it('a record whose tenant is not told is refused, and none of those that were written beside it', async () => {
  const app = await environment.connect(stores);
  const put = (id: string) => app.stores.projects.put(project(id)).catch(({ code }: ForebayError) => code);
  const ends = await Promise.all(['a:0', 'none', ':0', `${'x'.repeat(201)}:0`, 'b:0'].map(put));
  expect(ends.map((end) => (typeof end === 'string' ? end : 'accepted'))).toEqual([
    'accepted',
    ...Array.from({ length: 3 }, () => 'INVALID_DEFINITION'),
    'accepted',
  ]);
});

const tenantNames = ['a', 'b', 'c', 'd'] as const;
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      tenant: fc.constantFrom(...tenantNames),
      first: fc.nat(40),
      count: fc.integer({ min: 1, max: 30 }),
      op: fc.constantFrom('put' as const, 'put' as const, 'delete' as const),
    }),
  },
  fc.constant('seal' as const),
);

it('[FB-SHARE] the next batch has all of the order, whoever writes what, and every record is in a batch', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (sequence) => {
      const run = new Run(environment);
      try {
        for (const one of sequence) {
          if (one === 'seal') await run.turn();
          else for (let i = 0; i < one.count; i++) await run.write(one.op, `${one.tenant}:${one.first + i}`);
          await run.expectShares();
        }
        await run.expectDrained();
      } finally {
        await removeKeys(environment.redis, run.lane.keys.entryPrefix);
      }
    }),
    { numRuns: Number(process.env.TENANT_RUNS ?? 40) },
  );
});

class Run {
  readonly lane = laneOf();
  readonly #redis: Environment['redis'];
  readonly #buffer: WriteBuffer;
  readonly #accepted = new Set<string>();
  readonly #sealed = new Set<string>();
  #open: string | undefined;

  constructor({ redis, config }: Environment) {
    this.#redis = redis;
    this.#buffer = new WriteBuffer(redis, config.prefix);
  }

  async write(op: 'put' | 'delete', id: string): Promise<void> {
    const write: Write = { op, field: `projects:${id}`, payload: op === 'put' ? '{"name":"x"}' : '' };
    const { replies } = await this.#buffer.write(this.lane, withTenants(this.lane.group, [write]));
    if (replies[0] && 'version' in replies[0]) this.#accepted.add(write.field);
  }

  /** Acknowledges the batch that there is, and seals the next one. False: there is none. */
  async turn(): Promise<boolean> {
    if (this.#open !== undefined) await this.#buffer.ack(this.lane, this.#open);
    const reply = await this.#buffer.seal(this.lane, { recordsMax: 20, delayMs: 0, floor: 0n });
    this.#open = reply.kind === 'batch' ? reply.batch.number : undefined;
    if (reply.kind !== 'batch') return false;
    for (const field of await this.#redis.hkeys(this.lane.keys.sealed)) this.#sealed.add(field);
    if (reply.batch.sealing?.isRetry === false) expect(await this.#places()).toBe(0);
    return true;
  }

  async expectShares(): Promise<void> {
    const { share, crowdedAt } = shareOf(this.lane.group);
    expect(await this.#places()).toBeLessThanOrEqual(crowdedAt + share * tenantNames.length);
  }

  async expectDrained(): Promise<void> {
    while (await this.turn());
    expect(this.#sealed).toEqual(this.#accepted);
    const { waiting, retries, order, dirty } = this.lane.keys;
    expect(await this.#redis.exists(waiting, retries, order, dirty)).toBe(0);
  }

  #places(): Promise<number> {
    return this.#redis.zcard(this.lane.keys.order);
  }
}
