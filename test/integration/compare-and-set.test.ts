import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { isForebayError } from '../../src/errors.js';
import { fieldOf } from '../../src/keys.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { randomNumbers } from '../support/random.js';

/** Small batches and a short delay, so that writes meet lanes in every state. */
const projects = record({
  model: Project,
  counters: ['views', 'touches'],
  partitions: 1,
  batchRecordsMax: 2,
  delayMs: 1,
});
const stores = defineStores({ projects, touches: counter({ of: projects, field: 'touches' }) });
type App = Forebay<(typeof stores)['definitions']>;

let environment: Environment;
let apps: [App, App];

beforeEach(async () => {
  environment = await createEnvironment();
  apps = [await environment.connect(stores), await environment.connect(stores)];
});

afterEach(() => environment.close());

describe('a delete at a version', () => {
  it('is accepted while no other write came; its counters end with it', async () => {
    const [{ stores }] = apps;
    await stores.projects.put({ id: 'p', name: 'first' });
    await stores.touches.add('p', 3);
    const receipt = await stores.projects.deleteIf('p', await stores.projects.getVersioned('p'));
    expect(await stores.projects.getVersioned('p')).toEqual({ row: null, version: receipt.version });
    await stores.projects.put({ id: 'p', name: 'anew' });
    expect(await stores.touches.get('p')).toBe(0);
  });

  it('is refused with CONFLICT after another write, which stays, with its counters', async () => {
    const [{ stores }, other] = apps;
    await stores.projects.put({ id: 'p', name: 'first' });
    await stores.touches.add('p', 3);
    const seen = await stores.projects.getVersioned('p');
    const put = await other.stores.projects.put({ id: 'p', name: 'theirs' });
    await expect(stores.projects.deleteIf('p', seen)).rejects.toMatchObject({
      code: 'CONFLICT',
      context: { version: put.version },
    });
    expect(await stores.projects.get('p')).toMatchObject({ name: 'theirs' });
    expect(await stores.touches.get('p')).toBe(3);
  });

  it('and a put at the same version: one of them is accepted', async () => {
    const [{ stores }, other] = apps;
    for (let i = 0; i < 20; i++) {
      await stores.projects.put({ id: 'p', name: 'first' });
      const seen = await stores.projects.getVersioned('p');
      const results = await Promise.allSettled([
        stores.projects.deleteIf('p', seen),
        other.stores.projects.putIf({ id: 'p', name: 'theirs' }, seen),
      ]);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(await stores.projects.get('p')).toEqual(
        results[0]?.status === 'fulfilled' ? null : expect.objectContaining({ name: 'theirs' }),
      );
    }
  });
});

describe('a put at a version', () => {
  it('is accepted while no other write came, also of a record that is not there', async () => {
    const [{ stores }] = apps;
    const absent = await stores.projects.getVersioned('p');
    expect(absent.row).toBeNull();
    const receipt = await stores.projects.putIf({ id: 'p', name: 'first' }, absent);
    const first = await stores.projects.getVersioned('p');
    expect(first).toMatchObject({ row: { name: 'first' }, version: receipt.version });
    await stores.projects.putIf({ id: 'p', name: 'second' }, first);
    expect(await stores.projects.get('p')).toMatchObject({ name: 'second' });
  });

  it('is refused with CONFLICT after another write, and told the version of that', async () => {
    const [{ stores }, other] = apps;
    const seen = await stores.projects.getVersioned('p');
    const put = await other.stores.projects.put({ id: 'p', name: 'theirs' });
    await expect(stores.projects.putIf({ id: 'p', name: 'mine' }, seen)).rejects.toMatchObject({
      code: 'CONFLICT',
      context: { lane: 'projects/0', version: put.version },
    });
    const deletion = await other.stores.projects.delete('p');
    await expect(stores.projects.putIf({ id: 'p', name: 'mine' }, put)).rejects.toMatchObject({
      code: 'CONFLICT',
      context: { version: deletion.version },
    });
    expect(await stores.projects.get('p')).toBeNull();
  });

  it('knows the version while the record is dirty, while its batch is sealed, and not when it is in the database alone', async () => {
    const [{ stores: client }] = apps;
    const first = await client.projects.put({ id: 'p', name: '1' });
    await evict('p');
    const second = await client.projects.putIf({ id: 'p', name: '2' }, first);
    await seal();
    await evict('p');
    await expect(client.projects.putIf({ id: 'p', name: '3' }, first)).rejects.toMatchObject({
      code: 'CONFLICT',
      context: { version: second.version },
    });
    const third = await client.projects.putIf({ id: 'p', name: '3' }, second);
    await environment.startWorker(stores);
    await apps[0].flush();
    await evict('p');
    await expect(client.projects.putIf({ id: 'p', name: '4' }, third)).rejects.toMatchObject({
      code: 'CONFLICT',
      context: { version: undefined },
    });
    expect(await client.projects.get('p')).toMatchObject({ name: '3' });
  });

  it('is refused after another write that is gone from Redis again', async () => {
    await environment.prisma.project.create({ data: { id: 'p', name: 'old' } });
    await environment.startWorker(stores);
    const [{ stores: client }, other] = apps;
    const seen = await client.projects.getVersioned('p');
    await other.stores.projects.put({ id: 'p', name: 'theirs' });
    await other.flush();
    await evict('p');
    expect((await other.stores.projects.getVersioned('p')).row).toMatchObject({ name: 'theirs' });
    await expect(client.projects.putIf({ id: 'p', name: 'mine' }, seen)).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  it('is for readers who come while another loads the row the same as for that one', async () => {
    await environment.prisma.project.create({ data: { id: 'p', name: 'loaded' } });
    const seen = await Promise.all(
      [0, 1, 0, 1, 0].map((app) => (apps[app] as App).stores.projects.getVersioned('p')),
    );
    expect(new Set(seen.map(({ version }) => version)).size).toBe(1);
    for (const { row } of seen) expect(row).toMatchObject({ name: 'loaded' });
  });

  it('of two writers who saw the same lets one write', async () => {
    const seen = await apps[0].stores.projects.getVersioned('p');
    const results = await Promise.allSettled(
      apps.map(({ stores }, i) => stores.projects.putIf({ id: 'p', name: String(i) }, seen)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('an update', () => {
  it('of 50 at once from two apps, with flushes and evictions meanwhile, loses none', async () => {
    await environment.startWorker(stores);
    const random = randomNumbers(1);
    const increment = async ({ stores: { projects } }: App): Promise<void> => {
      await projects.update('p', async (row) => {
        if (random() < 0.1) await evict('p');
        return { id: 'p', name: String(Number(row?.name ?? 0) + 1) };
      });
    };
    await Promise.all(Array.from({ length: 50 }, (_, i) => increment(apps[i % 2] as App)));
    expect(await apps[0].stores.projects.get('p')).toMatchObject({ name: '50' });
    await apps[0].flush();
    expect(await environment.prisma.project.findUnique({ where: { id: 'p' } })).toMatchObject({ name: '50' });
  });

  it('writes nothing when its function returns null or throws, or gives another id', async () => {
    const [{ stores }] = apps;
    const put = await stores.projects.put({ id: 'p', name: 'kept' });
    expect(await stores.projects.update('p', () => null)).toBeNull();
    const mistake = new Error('a mistake of the app');
    await expect(stores.projects.update('p', () => Promise.reject(mistake))).rejects.toBe(mistake);
    await expect(stores.projects.update('p', () => ({ id: 'q', name: 'x' }))).rejects.toMatchObject({
      code: 'INVALID_ID',
    });
    expect((await stores.projects.getVersioned('p')).version).toBe(put.version);
    expect(await stores.projects.get('q')).toBeNull();
  });

  it('that others overtake each time ends with CONFLICT after ten tries', async () => {
    const [{ stores }, other] = apps;
    let tries = 0;
    const overtaken = stores.projects.update('p', async () => {
      tries += 1;
      await other.stores.projects.put({ id: 'p', name: 'theirs' });
      return { id: 'p', name: 'mine' };
    });
    await expect(overtaken).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
    expect(tries).toBe(10);
    expect(await stores.projects.get('p')).toMatchObject({ name: 'theirs' });
  });

  it('within an update of the same record does not wait for its end', async () => {
    const [{ stores }] = apps;
    let tries = 0;
    await stores.projects.update('p', async (row) => {
      tries += 1;
      if (tries === 1) await stores.projects.update('p', () => ({ id: 'p', name: 'inner' }));
      return { id: 'p', name: `${row?.name} and outer` };
    });
    expect(await stores.projects.get('p')).toMatchObject({ name: 'inner and outer' });
    expect(tries).toBe(2);
  });

  it('ends a dead letter as a put does, and keeps the deltas that waited with it', async () => {
    await environment.prisma.$executeRawUnsafe(
      'ALTER TABLE projects ADD CONSTRAINT short_name CHECK (length(name) < 10)',
    );
    await environment.startWorker(stores);
    const [{ stores: client, flush, backlog }] = apps;
    await client.projects.put({ id: 'p', name: 'good' });
    await flush();
    const [refused] = await Promise.all([
      client.projects.put({ id: 'p', name: 'much too long' }),
      client.touches.add('p', 5),
    ]);
    await flush();
    expect(await backlog()).toMatchObject({ dead: 1 });
    await expect(client.projects.putIf({ id: 'p', name: 'late' }, refused)).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(await backlog()).toMatchObject({ dead: 1 });
    await client.projects.update('p', (row) => ({ id: 'p', name: `${row?.name}, too` }));
    expect(await backlog()).toMatchObject({ dead: 0 });
    await flush();
    expect(await environment.prisma.project.findUnique({ where: { id: 'p' } })).toMatchObject({
      name: 'good, too',
      touches: 5,
    });
  });

  it('leaves the counters of the row alone', async () => {
    await environment.startWorker(stores);
    const [{ stores: client, flush }] = apps;
    await client.projects.put({ id: 'p', name: 'counted' });
    await client.touches.add('p', 3);
    await client.projects.update('p', (row) => (row ? { ...row, name: 'renamed' } : null));
    expect(await client.touches.get('p')).toBe(3);
    await flush();
    expect(await environment.prisma.project.findUnique({ where: { id: 'p' } })).toMatchObject({
      name: 'renamed',
      touches: 3,
    });
  });
});

const ids = ['a', 'b', 'c'];
const id = fc.constantFrom(...ids);
const client = fc.nat({ max: 1 });
const named = fc.string({ maxLength: 5 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), id, client }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('putIf' as const), id, client, name: named }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('put' as const), id, client, name: named }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), id, client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('evict' as const), id, client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const), id, client }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** One record as sequential execution has it, and what each client saw of it last. */
interface Expected {
  name: string | null;
  writes: number;
  evictions: number;
  readonly seen: Map<number, { version: bigint; writes: number; evictions: number }>;
}

describe('two clients, two workers and evictions', () => {
  it('a put is accepted at a version exactly while nobody wrote since', async () => {
    await environment.startWorker(stores);
    await environment.startWorker(stores);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const model = new Map<string, Expected>(
          ids.map((id) => [id, { name: null, writes: 0, evictions: 0, seen: new Map() }]),
        );
        for (const step of steps) await take(step, model.get(step.id) as Expected);
        for (const id of ids) await apps[0].stores.projects.delete(id);
      }),
      { numRuns: 25 },
    );
  });
});

async function take(step: Step, expected: Expected): Promise<void> {
  const { projects } = (apps[step.client] as App).stores;
  switch (step.do) {
    case 'read': {
      const { row, version } = await projects.getVersioned(step.id);
      expect(row?.name ?? null).toBe(expected.name);
      const { writes, evictions } = expected;
      expected.seen.set(step.client, { version, writes, evictions });
      return;
    }
    case 'putIf':
      return putIf(step.id, step.name, step.client, expected);
    case 'put':
      await projects.put({ id: step.id, name: step.name });
      return written(step.name, expected);
    case 'delete':
      await projects.delete(step.id);
      return written(null, expected);
    case 'evict':
      expected.evictions += 1;
      return evict(step.id);
    case 'flush':
      return apps[step.client]?.flush();
  }
}

async function putIf(id: string, name: string, client: number, expected: Expected): Promise<void> {
  const seen = expected.seen.get(client);
  if (!seen) return;
  const put = (apps[client] as App).stores.projects.putIf({ id, name }, seen);
  const isAccepted = await put.then(
    () => true,
    (error: unknown) => {
      if (isForebayError(error, 'CONFLICT')) return false;
      throw error;
    },
  );
  if (seen.writes < expected.writes) expect(isAccepted).toBe(false);
  // An evicted entry takes its version with it, unless the record is still on its way to the database.
  else if (seen.evictions === expected.evictions) expect(isAccepted).toBe(true);
  if (isAccepted) written(name, expected);
}

function written(name: string | null, expected: Expected): void {
  expected.name = name;
  expected.writes += 1;
}

async function seal(): Promise<void> {
  const { prefix } = environment.config;
  const buffer = new WriteBuffer(environment.redis, prefix);
  const [lane] = new Lanes(stores, prefix).all;
  await expect
    .poll(async () => (await buffer.seal(lane as Lane, { recordsMax: 1_000, delayMs: 0, floor: 0n })).kind)
    .toBe('batch');
}

async function evict(id: string): Promise<void> {
  const [lane] = new Lanes(stores, environment.config.prefix).all;
  await environment.redis.del(`${lane?.keys.entryPrefix}${fieldOf('projects', id)}`);
}
