/** A refresh worker is killed while it computes a value. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserCacheKeys } from '../../examples/platform/cache-keys.js';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { RefreshQueue } from '../../src/queues/refresh-queue.js';
import { RefreshService } from '../../src/services/refresh/refresh.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { startServiceProcess } from '../support/service-process.js';

const id = 'u1';
const key = UserCacheKeys.profile(id);

let environment: Environment;
let app: Forebay<typeof stores.definitions>;
let queue: RefreshQueue;

beforeAll(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores, { cache: { l1: false } });
  queue = new RefreshQueue(environment.redis as never, environment.config.prefix, () => undefined);
  await environment.prisma.user.create({ data: { id, email: 'u1@example.com', name: 'before' } });
});

afterAll(async () => {
  await queue.close();
  await environment.close();
});

describe('P5 a refresh worker that is killed while it computes a value', () => {
  it('leaves the old one to readers, and another worker computes it', async () => {
    expect(await app.stores.profiles.get(id)).toMatchObject({ name: 'before' });
    const seen = (await app.cache.explain(key)).id as string;
    await environment.prisma.user.update({ where: { id }, data: { name: 'after' } });
    const worker = await startServiceProcess(environment, 'refresh-worker.ts');
    await environment.prisma.$transaction(async (tx) => {
      // The worker's load waits for this lock.
      await tx.$executeRaw`LOCK TABLE users IN ACCESS EXCLUSIVE MODE`;
      await queue.add({ store: 'profiles', id, seen }, 1);
      await expect.poll(async () => (await app.cache.explain(key)).lease).toBeDefined();
      await worker.kill();
      expect(await app.stores.profiles.get(id)).toMatchObject({ name: 'before' });
    });
    const other = new RefreshService({
      stores,
      prisma: environment.prisma,
      config: environment.config,
      emit: (event) => void environment.events.push(event),
    });
    await other.start();
    try {
      // The dead one's job lock, and then its lease, last ten seconds each.
      await expect
        .poll(() => app.stores.profiles.get(id), { interval: 100 })
        .toMatchObject({ name: 'after' });
      expect(app.cache.getStats().byNamespace.user).toMatchObject({ loads: 1, loadFailures: 0 });
    } finally {
      await other.stop(5_000);
    }
  });
});
