import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadsKey } from '../processes/messages.js';
import { type CacheProcess, startCacheProcess } from '../support/cache-process.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { patient } from '../support/patient.js';

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
  it.each(['value', 'row'] as const)('P7 one loads, and all get its %s', async (kind) => {
    const key = `platform:statistics:${kind}`;
    const readers = { kind, key, callers: 500, loadMs: 300 };
    const values = await Promise.all(processes.map((process) => process.read(readers)));
    expect(new Set(values.flat())).toEqual(new Set([1]));
    expect(await loads(key)).toBe(1);
  });

  it.each([
    // The lease is a second longer than the loader's time-out; then comes the load.
    ['value', { loadTimeoutMs: 1_000 }, 5_000],
    ['row', {}, 14_000],
  ] as const)(
    'P7 one more loads the %s when the first is killed, within the time of its lease',
    async (kind, options, withinMs) => {
      const key = `platform:statistics:other-${kind}`;
      const first = processes.pop() as CacheProcess;
      const lost = first.read({ kind, key, callers: 500, loadMs: 60_000, ...options });
      const isLost = expect(lost).rejects.toThrow('has ended (SIGKILL)');
      await expect.poll(() => loads(key)).toBe(1);
      const startedAt = Date.now();
      const reading = processes.map((one) => one.read({ kind, key, callers: 500, loadMs: 100, ...options }));
      await first.kill();
      await isLost;
      const values = await Promise.all(reading);
      expect(new Set(values.flat())).toEqual(new Set([2]));
      expect(await loads(key)).toBe(2);
      expect(Date.now() - startedAt).toBeLessThan(patient(withinMs));
    },
  );
});
