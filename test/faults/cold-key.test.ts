import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CacheProcess, loadsKey, startCacheProcess } from '../support/cache-process.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;
let processes: CacheProcess[];

beforeAll(async () => {
  environment = await createEnvironment();
  processes = await Promise.all(Array.from({ length: 8 }, () => startCacheProcess(environment)));
});

afterAll(async () => {
  for (const process of processes) await process.stop();
  await environment.close();
});

async function loads(key: string): Promise<number> {
  return Number(await environment.redis.get(loadsKey(environment, key)));
}

describe('of 8 processes with 500 callers each on one cold key', () => {
  it('P7 one loads, and all get its value', async () => {
    const key = 'platform:statistics:all';
    const readers = { key, callers: 500, loadMs: 300, loadTimeoutMs: 10_000 };
    const values = await Promise.all(processes.map((process) => process.read(readers)));
    expect(new Set(values.flat())).toEqual(new Set([1]));
    expect(await loads(key)).toBe(1);
  });

  it('P7 one more loads when the first is killed, within the time of its lease', async () => {
    const key = 'platform:statistics:other';
    const [first, ...rest] = processes as [CacheProcess, ...CacheProcess[]];
    void first.read({ key, callers: 500, loadMs: 60_000, loadTimeoutMs: 1_000 });
    await expect.poll(() => loads(key)).toBe(1);
    const startedAt = Date.now();
    const reading = rest.map((one) => one.read({ key, callers: 500, loadMs: 100, loadTimeoutMs: 1_000 }));
    await first.kill();
    const values = await Promise.all(reading);
    expect(new Set(values.flat())).toEqual(new Set([2]));
    expect(await loads(key)).toBe(2);
    // The lease is a second longer than the loader's time-out; then comes the load.
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });
});
