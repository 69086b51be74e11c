import { once } from 'node:events';
import { expect, it } from 'vitest';
import { createClient, type Redis, retryWaitMs } from '../../../src/connection/client.js';
import { redisSettings } from '../../../src/redis-settings.js';

it('R2 waits 50 ms before it connects again, doubling to 10 s', () => {
  const waits = Array.from({ length: 10 }, (_, i) => retryWaitMs(i + 1));
  expect(waits).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  expect(retryWaitMs(100_000)).toBe(10_000);
});

it('a client that ends between two tries to connect tells whoever waits for it, and so do its copies', async () => {
  const redis = createClient(redisSettings('redis://127.0.0.1:1'), { maxRetriesPerRequest: null }) as Redis;
  const copy = redis.duplicate();
  for (const client of [redis, copy]) {
    client.on('error', () => undefined);
    await expect(client.connect()).rejects.toThrow();
    await expect.poll(() => client.status).toBe('reconnecting');
  }
  const answers = [redis, copy].map((client) => client.get('a'));
  const ends = [redis, copy].map((client) => once(client, 'end'));
  redis.disconnect();
  await Promise.all(ends);
  for (const answer of answers) await expect(answer).rejects.toThrow('Connection is closed.');
});
