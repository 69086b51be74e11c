/** Values that take a fifth of a second to compute, and are fresh for two. Their loads are counted in Redis, as several processes load. */
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { cacheKey, cacheKeys, computed, defineStores } from '../../src/index.js';
import { requireVariable } from '../write-behind/variable.js';

export const lifeSeconds = 2;
const loadMs = 200;

export const Keys = cacheKeys('report', {
  byThreshold: cacheKey<string>(lifeSeconds),
  byXFetch: cacheKey<string>(lifeSeconds),
  plain: cacheKey<string>(lifeSeconds),
});

export const redis = new Redis(requireVariable('REDIS_URL'), { enableAutoPipelining: true });
const loadsKey = `{${requireVariable('FOREBAY_PREFIX')}}:loads`;

export async function loadReport(id: string): Promise<string> {
  await Promise.all([wait(loadMs), redis.incr(loadsKey)]);
  return `report ${id}`;
}

/** Loads since the last call. */
export async function takeLoads(): Promise<number> {
  return Number((await redis.getdel(loadsKey)) ?? 0);
}

async function load(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  return new Map(await Promise.all(ids.map(async (id) => [id, await loadReport(id)] as const)));
}

export const stores = defineStores({
  byThreshold: computed({ key: Keys.byThreshold, refresh: {}, load }),
  byXFetch: computed({ key: Keys.byXFetch, refresh: { when: 'xfetch' }, load }),
});
