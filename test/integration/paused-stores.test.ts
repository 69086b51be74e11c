/** A store whose flushes are paused. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import { Pauses } from '../../src/buffer/pauses.js';
import { openConnections, type RedisClient } from '../../src/connection/redis.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;
let redis: RedisClient;

beforeEach(async () => {
  environment = await createEnvironment();
  ({ redis } = await openConnections({ redis: [environment.config.redis, 'reads'] }, () => undefined));
});

afterEach(async () => {
  redis.disconnect();
  await environment.close();
});

it('a paused store accepts writes and flushes none, while others are flushed; resumed, it flushes all', async () => {
  const pauses = new Pauses(redis, environment.config.prefix);
  const told = () => environment.events.filter(({ type }) => type === 'stores.paused');
  const app = await environment.connect(stores);
  await environment.startWorker(stores);
  expect(await pauses.pause('projects')).toBe(true);
  expect(await pauses.pause('projects')).toBe(false);
  await expect.poll(told).toEqual([{ type: 'stores.paused', stores: ['projects'] }]);
  await app.stores.projects.put({ id: 'p', name: 'waits' });
  await app.stores.projectViews.add('p', 1);
  await app.stores.clients.put({ id: 'c', name: 'goes on' });
  await expect.poll(() => environment.prisma.client.count()).toBe(1);
  await expect(app.flush({ timeoutMs: 1_500 })).rejects.toMatchObject({ code: 'FLUSH_TIMEOUT' });
  expect(await environment.prisma.project.count()).toBe(0);
  expect(await pauses.resume('projects')).toBe(true);
  await app.flush();
  expect(await environment.prisma.project.findMany()).toMatchObject([{ id: 'p', name: 'waits', views: 1n }]);
  expect(await pauses.groups()).toEqual(new Set());
});
