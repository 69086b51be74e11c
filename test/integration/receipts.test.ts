import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client, Project } from '../../examples/platform/generated/models.js';
import { stores } from '../../examples/platform/stores.js';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { PersistedWatch } from '../../src/client/receipts/persisted.js';
import { Receipt } from '../../src/client/receipts/receipt.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import type { WriteBehindQueue } from '../../src/queues/write-behind-queue.js';
import { faultExitCode } from '../processes/messages.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { startWorkerProcess } from '../support/worker-process.js';

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

/** An id of a client whose record goes through the lane. */
function idOf(lane: Lane): string {
  const lanes = new Lanes(stores, environment.config.prefix);
  const ids = Array.from({ length: 100 }, (_, nth) => `c${nth}`);
  return ids.find((id) => lanes.of(lane.group, id).name === lane.name) as string;
}

const names = async () => (await environment.prisma.client.findMany()).map(({ name }) => name);

describe('a receipt', () => {
  it('says where the write is, and is plain data besides', async () => {
    const app = await environment.connect(stores);
    const receipt = await app.stores.clients.put({ id: 'a', name: 'Ada' });
    const { version } = receipt;
    expect({ ...receipt }).toEqual({
      store: 'clients',
      lane: expect.stringMatching(/^clients\/\d$/),
      version,
    });
  });

  it('tells when the write is in the database, for every kind of write', async () => {
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    const put = await app.stores.clients.put({ id: 'a', name: 'Ada' });
    await put.persisted();
    expect(await names()).toEqual(['Ada']);
    await app.stores.projects.put({ id: 'p', name: 'Harbour' });
    await (await app.stores.projectTouches.add('p', 3)).persisted();
    expect(await environment.prisma.project.findMany()).toMatchObject([{ touches: 3 }]);
    await (await app.stores.clients.delete('a')).persisted();
    expect(await names()).toEqual([]);
  });

  it('of a write that a newer one of its record has replaced tells when that one is', async () => {
    const app = await environment.connect(stores);
    const first = await app.stores.clients.put({ id: 'a', name: 'first' });
    await app.stores.clients.put({ id: 'a', name: 'second' });
    await environment.startWorker(stores);
    await first.persisted();
    expect(await names()).toEqual(['second']);
  });

  it('waits no longer than it is told to, and the write is kept', async () => {
    const app = await environment.connect(stores);
    const receipt = await app.stores.clients.put({ id: 'a', name: 'Ada' });
    await expect(receipt.persisted({ timeoutMs: 20 })).rejects.toMatchObject({
      code: 'PERSIST_TIMEOUT',
      retryable: true,
    });
    await environment.startWorker(stores);
    await receipt.persisted();
  });

  it.each([3e9, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])(
    'waits, as flush does, for as long as it takes when it is given %s ms',
    async (timeoutMs) => {
      const app = await environment.connect(stores);
      const receipt = await app.stores.clients.put({ id: 'a', name: 'Ada' });
      const both = Promise.all([receipt.persisted({ timeoutMs }), app.flush({ timeoutMs })]);
      const failed = expect(both).resolves.toEqual([undefined, undefined]);
      await environment.startWorker(stores);
      await failed;
    },
  );

  it.each([-1, Number.NaN])('refuses, as flush does, to wait for %s ms', async (timeoutMs) => {
    const app = await environment.connect(stores);
    const receipt = await app.stores.clients.put({ id: 'a', name: 'Ada' });
    for (const waiting of [receipt.persisted({ timeoutMs }), app.flush({ timeoutMs })])
      await expect(waiting).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  });

  it('says when the database refuses the write', async () => {
    await environment.prisma.$executeRawUnsafe("ALTER TABLE clients ADD CHECK (name <> 'bad')");
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    const bad = await app.stores.clients.put({ id: 'a', name: 'bad' });
    await expect(bad.persisted()).rejects.toMatchObject({
      code: 'DATABASE_REFUSED',
      context: { version: bad.version },
    });
    const good = await app.stores.clients.put({ id: 'a', name: 'good' });
    await good.persisted();
    await bad.persisted();
  });

  it('says so too when the refused write has taken its place', async () => {
    await environment.prisma.$executeRawUnsafe("ALTER TABLE clients ADD CHECK (name <> 'bad')");
    const app = await environment.connect(stores);
    const earlier = await app.stores.clients.put({ id: 'a', name: 'good' });
    const bad = await app.stores.clients.put({ id: 'a', name: 'bad' });
    await environment.startWorker(stores);
    for (const receipt of [bad, earlier]) {
      await expect(receipt.persisted()).rejects.toMatchObject({ code: 'DATABASE_REFUSED' });
    }
    expect(await names()).toEqual([]);
  });

  it('of a write that was refused waits for its replay', async () => {
    await environment.prisma.$executeRawUnsafe("ALTER TABLE clients ADD CONSTRAINT c CHECK (name <> 'bad')");
    const app = await environment.connect(stores);
    const worker = await environment.startWorker(stores);
    const bad = await app.stores.clients.put({ id: 'a', name: 'bad' });
    await expect(bad.persisted()).rejects.toMatchObject({ code: 'DATABASE_REFUSED' });
    await worker.stop(5_000);
    await environment.prisma.$executeRawUnsafe('ALTER TABLE clients DROP CONSTRAINT c');
    for await (const letter of app.deadLetters.list()) await app.deadLetters.replay(letter);
    await expect(bad.persisted({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'PERSIST_TIMEOUT' });
    await environment.startWorker(stores);
    await bad.persisted();
    expect(await names()).toEqual(['bad']);
  });

  it('is not settled while Redis does not tell whether it was refused', async () => {
    const lane = new Lanes(stores, environment.config.prefix).all[0] as Lane;
    const events: ForebayEvent[] = [];
    const away = environment.redis.duplicate();
    away.disconnect();
    const desk = {
      watch: { persisted: async () => 'unless-left-behind' } as unknown as PersistedWatch,
      buffer: new WriteBuffer(away, environment.config.prefix),
      emit: (event: ForebayEvent) => void events.push(event),
    };
    const receipt = new Receipt(desk, lane, 'clients:a', { version: 1n, generation: 'g' });
    await expect(receipt.persisted({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'PERSIST_TIMEOUT' });
    expect(events.map(({ type }) => type)).toContain('redis.error');
  });

  it('ends with its client', async () => {
    const app = await environment.connect(stores);
    const receipt = await app.stores.clients.put({ id: 'a', name: 'Ada' });
    const waiting = receipt.persisted();
    const ended = expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    await app.close();
    await ended;
    await expect(receipt.persisted()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('is settled by another worker when the first one dies', async () => {
    const app = await environment.connect(stores);
    const dying = await startWorkerProcess(environment, { at: 'batch.written', action: 'exit' });
    const receipts = await app.stores.clients.putMany(
      Array.from({ length: 50 }, (_, i) => ({ id: `c${i}`, name: 'kept' })),
    );
    const persisted = Promise.all(receipts.map((receipt) => receipt.persisted()));
    expect(await dying.exited()).toBe(faultExitCode);
    await environment.startWorker(stores);
    await persisted;
    expect(await names()).toHaveLength(50);
  });

  it('is settled, though a look that was made for one before it ends late', async () => {
    const app = await environment.connect(stores);
    const lane = new Lanes(stores, environment.config.prefix).all.find(
      ({ name }) => name === 'clients/0',
    ) as Lane;
    const real = new WriteBuffer(environment.redis, environment.config.prefix);
    let letGo: (() => void) | undefined;
    const buffer = Object.assign(Object.create(real) as WriteBuffer, {
      async inspect(...args: Parameters<WriteBuffer['inspect']>) {
        const state = await real.inspect(...args);
        if (letGo === undefined) await new Promise<void>((resolve) => (letGo = resolve));
        return state;
      },
    });
    const subscriber = environment.redis.duplicate();
    const queue = { hurry: async () => undefined } as unknown as WriteBehindQueue;
    const ledgerOf = async () => undefined;
    const { prefix } = environment.config;
    const watch = new PersistedWatch({ subscriber, buffer, queue, ledgerOf, prefix, emit: () => undefined });
    const persisted = async () => {
      const id = idOf(lane);
      const { version } = await app.stores.clients.put({ id, name: 'Ada' });
      const generation = (await real.inspect(lane)).generation;
      return watch.persisted(lane, { version, generation }, 20_000);
    };
    const first = persisted();
    await expect.poll(() => letGo).toBeDefined();
    const worker = await environment.startWorker(stores);
    expect(await first).toBe('persisted');
    await worker.stop(5_000);
    const second = persisted();
    await expect.poll(async () => (await real.inspect(lane)).dirty).toBe(1);
    await subscriber.ping();
    letGo?.();
    await real.inspect(lane);
    await environment.startWorker(stores);
    expect(await second).toBe('persisted');
    watch.close();
    subscriber.disconnect();
  });

  it('of ten thousand writes asks Redis once in a while for a lane, and not for each', async () => {
    const app = await environment.connect(stores);
    const receipts = await app.stores.clients.putMany(
      Array.from({ length: 10_000 }, (_, i) => ({ id: `c${i}`, name: 'kept' })),
    );
    const before = app.redis.getRedisMetrics().commands;
    const persisted = Promise.all(receipts.map((receipt) => receipt.persisted()));
    await environment.startWorker(stores);
    await persisted;
    // Nobody looks for a dead letter where there is none.
    expect(app.redis.getRedisMetrics().commands - before).toBeLessThan(2_000);
  });
});

describe('a store with durability: database', () => {
  const safe = defineStores({ clients: record({ model: Client, durability: 'database' }) });

  it('has what it has accepted in the database', async () => {
    const app = await environment.connect(safe);
    await environment.startWorker(safe);
    await app.stores.clients.put({ id: 'a', name: 'Ada' });
    expect(await names()).toEqual(['Ada']);
    await app.stores.clients.patch('a', { name: 'Bea' });
    expect(await names()).toEqual(['Bea']);
    await app.stores.clients.update('a', (row) => row && { ...row, name: 'Cleo' });
    expect(await names()).toEqual(['Cleo']);
  });

  it('can be told otherwise by a call', async () => {
    const app = await environment.connect(safe);
    await app.stores.clients.put({ id: 'a', name: 'Ada' }, { durability: 'memory' });
    expect(await names()).toEqual([]);
  });
});

describe('a generation of a lane', () => {
  const projects = record({ model: Project, counters: ['views', 'touches'], partitions: 1 });
  const counted = defineStores({
    projects,
    views: counter({ of: projects, field: 'views' }),
    touches: counter({ of: projects, field: 'touches' }),
  });

  it('lasts as long as Redis loses nothing, whatever is written and refused', async () => {
    const app = await environment.connect(counted);
    const { keys } = new Lanes(counted, environment.config.prefix).all[0] as Lane;
    const { stores } = app;
    const put = () => stores.projects.put({ id: 'p', name: 'Harbour' });
    const writes: Readonly<Record<string, () => Promise<unknown>>> = {
      put,
      add: () => stores.touches.add('p', 1),
      update: () => stores.projects.update('p', () => ({ id: 'p', name: 'Bridge' })),
      delete: () => stores.projects.delete('p'),
      'delete of what is not there': () => stores.projects.delete('q'),
      'delete of many at once': () => Promise.all(['p', 'q'].map((id) => stores.projects.delete(id))),
      'refused put': () =>
        expect(stores.projects.putIf({ id: 'p', name: '' }, { version: 1n })).rejects.toThrow(),
      'refused delete': () => expect(stores.projects.deleteIf('p', { version: 1n })).rejects.toThrow(),
    };
    await put();
    const generation = await environment.redis.hget(keys.meta, 'generation');
    for (const [name, write] of Object.entries(writes)) {
      await put();
      await write();
      await put();
      expect(await environment.redis.hget(keys.meta, 'generation'), `after a ${name}`).toBe(generation);
    }
  });
});
