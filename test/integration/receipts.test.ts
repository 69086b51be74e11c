import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client, Project } from '../../examples/platform/generated/models.js';
import { stores } from '../../examples/platform/stores.js';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import type { PersistedWatch } from '../../src/client/receipts/persisted.js';
import { Receipt } from '../../src/client/receipts/receipt.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { faultExitCode, startWorkerProcess } from '../support/worker-process.js';

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

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
