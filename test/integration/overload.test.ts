/** What happens to writes when there is no room for them: in a lane, or in Redis's memory. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client, Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import type { Receipt } from '../../src/client/receipts/receipt.js';
import type { RedisSettings } from '../../src/config.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';

const small = { partitions: 1, dirtyMax: 3, onFullWaitMs: 10_000 } as const;
const projects = record({ model: Project, counters: ['touches', 'views'], ...small });
const stores = defineStores({
  clients: record({ model: Client, ...small }),
  bytes: record<{ id: string; text: string }, 'id'>({
    id: 'id',
    load: async () => [],
    persist: async () => undefined,
    partitions: 1,
    dirtyBytesMax: 1_000,
  }),
  projects,
  touches: counter({ of: projects, field: 'touches' }),
});
type App = Forebay<(typeof stores)['definitions']>;

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

const client = (id: string, name = id) => ({ id, name });
const names = async () =>
  (await environment.prisma.client.findMany({ orderBy: { id: 'asc' } })).map(({ name }) => name);

async function fill(app: App): Promise<void> {
  await app.stores.clients.putMany(['a', 'b', 'c'].map((id) => client(id)));
}

describe('a lane that is full', () => {
  it('refuses further records at once, and takes those that are dirty already', async () => {
    const app = await environment.connect(stores);
    await fill(app);
    await expect(app.stores.clients.put(client('d'))).rejects.toMatchObject({ code: 'BACKLOG_FULL' });
    await app.stores.clients.put(client('a', 'again'));
    expect(await app.backlog()).toMatchObject({ dirty: 3 });
  });

  it('is full by bytes too', async () => {
    const app = await environment.connect(stores);
    await app.stores.bytes.put({ id: 'a', text: 'x'.repeat(1_000) });
    await expect(app.stores.bytes.put({ id: 'b', text: '' })).rejects.toMatchObject({ code: 'BACKLOG_FULL' });
    await app.stores.bytes.put({ id: 'a', text: '' });
    await app.stores.bytes.put({ id: 'b', text: '' });
  });

  it('makes writes wait that want to, until a batch has made room', async () => {
    const app = await environment.connect(stores);
    await fill(app);
    const waiting = ['d', 'e', 'f', 'g', 'h'].map((id) =>
      app.stores.clients.put(client(id), { onFull: 'wait' }),
    );
    await app.stores.clients.put(client('a', 'passes'));
    await environment.startWorker(stores);
    await Promise.all(waiting);
    await app.flush();
    expect(await names()).toEqual(['passes', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  });

  it('lets no later write of a record overtake one that waits', async () => {
    const app = await environment.connect(stores);
    await fill(app);
    const writes = [
      app.stores.clients.put(client('d', 'first'), { onFull: 'wait' }),
      app.stores.clients.put(client('e', 'other'), { onFull: 'wait' }),
    ];
    await app.backlog();
    writes.push(app.stores.clients.put(client('d', 'second')));
    await app.backlog();
    writes.push(app.stores.clients.put(client('d', 'third'), { onFull: 'wait' }));
    const settled = Promise.allSettled(writes);
    await environment.startWorker(stores);
    await settled;
    await app.flush();
    expect((await names()).slice(3)).toEqual(['third', 'other']);
  });

  it('keeps the order of a row and its counters, also when another write makes the room', async () => {
    const app = await environment.connect(stores);
    const { projects: rows, touches } = app.stores;
    await rows.putMany(['a', 'b', 'c'].map((id) => ({ id, name: id })));
    const named = async (name: string, write: Promise<Receipt>) => [name, (await write).version] as const;
    const waiting = [
      named('put', rows.put({ id: 'p', name: 'first' }, { onFull: 'wait' })),
      named('counted', touches.add('p', 1, { onFull: 'wait' })),
      named('deleted', rows.delete('p', { onFull: 'wait' })),
      named('put again', rows.put({ id: 'p', name: 'second' }, { onFull: 'wait' })),
      named('counted again', touches.add('p', 5, { onFull: 'wait' })),
    ];
    waiting.push(named('passes', rows.put({ id: 'a', name: 'passes' })));
    await environment.startWorker(stores);
    const accepted = (await Promise.all(waiting)).sort(([, a], [, b]) => Number(a - b));
    expect(accepted.map(([name]) => name)).toEqual([
      'passes',
      'put',
      'counted',
      'deleted',
      'put again',
      'counted again',
    ]);
    await app.flush();
    expect(await environment.prisma.project.findUnique({ where: { id: 'p' } })).toMatchObject({
      name: 'second',
      touches: 5,
    });
  });

  it('lets none of them overtake, though a later one finds room first', async () => {
    const app = await environment.connect(stores);
    const { projects: rows, touches } = app.stores;
    await rows.putMany(['a', 'b'].map((id) => ({ id, name: id })));
    await touches.add('a', 1);
    const first = rows.put({ id: 'p', name: 'first' }, { onFull: 'wait' });
    // Its counter leaves the lane, which makes room.
    await rows.delete('a');
    await Promise.all([first, rows.put({ id: 'p', name: 'second' }, { onFull: 'wait' })]);
    expect(await rows.get('p')).toMatchObject({ name: 'second' });
  });

  it('makes them wait no longer than they are told to', async () => {
    const impatient = defineStores({
      clients: record({ model: Client, ...small, onFull: 'wait', onFullWaitMs: 50 }),
    });
    const app = await environment.connect(impatient);
    await app.stores.clients.putMany(['a', 'b', 'c'].map((id) => client(id)));
    await expect(app.stores.clients.put(client('d'))).rejects.toMatchObject({ code: 'BACKLOG_FULL' });
  });
});

describe('a Redis whose memory is full', () => {
  let server: OwnRedis;
  let app: App;

  beforeEach(async () => {
    server = await startOwnRedis();
    app = await environment.connect(stores, { config: configOf(server.settings) });
    await app.stores.projects.put({ id: 'p', name: 'there' });
    await server.admin.config('SET', 'maxmemory', '1');
  });

  afterEach(async () => {
    await app.close();
    await server.remove();
  });

  const configOf = (redis: RedisSettings) => ({ ...environment.config, redis, queueRedis: redis });

  it('refuses writes with an error that says so, and nothing of them is done', async () => {
    const writes = [
      app.stores.clients.put(client('a')),
      app.stores.clients.delete('b'),
      app.stores.touches.add('p', 1),
      app.stores.projects.delete('p'),
    ];
    for (const write of writes)
      await expect(write).rejects.toMatchObject({ code: 'REDIS_OUT_OF_MEMORY', retryable: true });
    await server.admin.config('SET', 'maxmemory', '0');
    expect(await app.backlog()).toMatchObject({ dirty: 1 });
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'there' });
  });

  it('makes writes wait that want to', async () => {
    const waiting = app.stores.clients.put(client('a'), { onFull: 'wait' });
    await expect(app.stores.clients.put(client('b'))).rejects.toMatchObject({
      code: 'REDIS_OUT_OF_MEMORY',
    });
    await server.admin.config('SET', 'maxmemory', '0');
    await waiting;
    expect(await app.backlog()).toMatchObject({ dirty: 2 });
  });

  it('is drained by the workers all the same, though it takes no jobs', async () => {
    await environment.startWorker(stores, {}, undefined, configOf(server.settings));
    await expect.poll(() => environment.prisma.project.count()).toBe(1);
    await expect.poll(() => app.backlog()).toMatchObject({ dirty: 0, sealed: 0 });
  });
});
