/** What pm2 stops must have left before its `kill_timeout`, whatever is away. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { forkProgram, nextMessage } from '../support/program.js';

const ecosystem = readFileSync(new URL('../../ecosystem.config.js', import.meta.url), 'utf8');
const killTimeoutMs = Number(/kill_timeout: ([\d_]+)/.exec(ecosystem)?.[1]?.replace('_', ''));

let environment: Environment;
let redis: OwnRedis;
let worker: ChildProcess | undefined;

beforeEach(async () => {
  [environment, redis] = await Promise.all([createEnvironment(), startOwnRedis()]);
});

afterEach(async () => {
  worker?.kill('SIGKILL');
  await environment.close();
  await redis.remove();
});

it.each(['is away', 'is there and silent'] as const)(
  'a worker that is told to stop while Redis %s has left before it would be killed',
  async (how) => {
    const own = { ...environment.config, redis: redis.settings, queueRedis: redis.settings };
    const app = await environment.connect(stores, { config: own });
    worker = forkProgram('workers/write-behind.ts', {
      env: { ...environment.env, REDIS_URL: redis.url },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await nextMessage(worker);
    await app.stores.projects.put({ id: 'p1', name: 'in hand' });
    if (how === 'is away') await redis.stop();
    else await redis.admin.call('CLIENT', 'PAUSE', '60000', 'ALL');
    const exited = once(worker, 'exit');
    const startedAt = performance.now();
    worker.kill('SIGINT');
    const [code] = await exited;
    expect(code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(killTimeoutMs);
  },
);
