import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../dev/services/redis-server.js';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { isForebayError } from '../../src/errors.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { patient } from '../support/patient.js';

let environment: Environment;
let server: OwnRedis;
let app: Forebay<(typeof stores)['definitions']>;

beforeEach(async () => {
  environment = await createEnvironment();
  server = await startOwnRedis();
  const config = { ...environment.config, redis: server.settings, queueRedis: server.settings };
  app = await environment.connect(stores, { config });
});

afterEach(async () => {
  await app.close();
  await server.remove();
  await environment.close();
});

const row = { id: 'a', name: 'Ada' };

describe('a write with durability: replicated', () => {
  it('says when no replica has it in time; it is accepted, and so are those that want nothing of the kind', async () => {
    const writes = [
      app.stores.clients.put(row, { durability: 'replicated' }),
      app.stores.clients.put({ ...row, id: 'b' }),
    ];
    const [replicated, plain] = await Promise.allSettled(writes);
    expect(replicated).toMatchObject({
      reason: { code: 'DURABILITY_NOT_MET', context: { durability: 'replicated' } },
    });
    expect(plain).toMatchObject({ status: 'fulfilled' });
    expect(await app.stores.clients.getMany(['a', 'b'])).toMatchObject([{ id: 'a' }, { id: 'b' }]);
  });

  it('holds up no write that wants nothing of the kind', async () => {
    const ended: string[] = [];
    const slow = app.stores.clients.put(row, { durability: 'replicated' }).catch(() => ended.push('slow'));
    for (let i = 0; i < 50; i++) await app.stores.clients.put({ ...row, id: `plain-${i}` });
    ended.push('plain');
    await slow;
    expect(ended).toEqual(['plain', 'slow']);
  });

  it('has its answer at once after one has waited in vain, until there is a replica again', async () => {
    const durable = { durability: 'replicated' } as const;
    await app.stores.clients.put(row, durable).catch(() => undefined);
    const startedAt = performance.now();
    const puts = Array.from({ length: 2_000 }, (_, i) =>
      app.stores.clients.put({ ...row, id: `${i}` }, durable),
    );
    for (const outcome of await Promise.allSettled(puts)) {
      expect(outcome).toMatchObject({ reason: { code: 'DURABILITY_NOT_MET' } });
    }
    // Each call that waited would take a second; there are 16 calls at least.
    expect(performance.now() - startedAt).toBeLessThan(patient(4_000));
    await withReplica(async () => {
      const isReplicated = () =>
        app.stores.clients.put(row, durable).then(
          () => true,
          () => false,
        );
      await expect.poll(isReplicated).toBe(true);
      await app.stores.clients.putMany([row, { ...row, id: 'b' }], durable);
    });
  });

  it('is on a replica when it returns', async () => {
    await withReplica(async () => {
      const options = { durability: 'replicated' } as const;
      await confirmed(() => app.stores.clients.put(row, options));
      await confirmed(() => app.stores.clients.putMany([row, { ...row, id: 'b' }], options));
      await confirmed(() => app.stores.projectTouches.add('p', 1, options));
      await confirmed(() => app.stores.clients.delete('b', options));
    });
  });
});

/** A replica of a busy machine may take longer than a write waits for it. */
async function confirmed(write: () => Promise<unknown>): Promise<void> {
  const outcome = () =>
    write().then(
      () => 'on a replica',
      (error: unknown) => (isForebayError(error, 'DURABILITY_NOT_MET') ? 'not yet' : error),
    );
  await expect.poll(outcome).toBe('on a replica');
}

async function withReplica(work: () => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-replica-'));
  const { host, port, password } = server.settings as { host: string; port: number; password: string };
  const replicaof = ['--replicaof', `${host} ${port}`, '--masterauth', password];
  await server.admin.config('SET', 'repl-diskless-sync-delay', '0');
  const replica: RedisServer = await startRedisServer({ folder, extraArgs: replicaof });
  try {
    await expect.poll(() => server.admin.info('replication')).toMatch(/state=online/);
    await work();
  } finally {
    await replica.kill();
    await rm(folder, { recursive: true });
  }
}

describe('a write with durability: fsynced', () => {
  it('is on disk when it returns; a Redis before 7.2 refuses it, and nothing is written', async () => {
    const { version } = await app.redis.getRedisInfo();
    const writing = app.stores.clients.put(row, { durability: 'fsynced' });
    if (version.localeCompare('7.2', 'en', { numeric: true }) >= 0) await writing;
    else {
      await expect(writing).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
      expect(await app.stores.clients.get('a')).toBeNull();
    }
  });
});
