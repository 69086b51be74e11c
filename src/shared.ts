/**
 * The client that a process shares: connected once, at the process's start, and used by plain functions from anywhere in it.
 * `await share(() => connect(stores, { prisma }))`, then `cacheAside(key, fetch)`.
 */
import type { CacheService } from '../cache/cache-service.js';
import type { RedisMetrics } from '../connection/connection-metrics.js';
import type { ConnectionTest, RedisHealth, RedisInfo, RedisMemoryStats } from '../connection/health.js';
import type { Definitions } from '../definitions/stores.js';
import { ForebayError, messageOf } from '../errors.js';
import type { Patterns } from '../patterns/patterns.js';
import type { Forebay } from './connect.js';

type Shared = Pick<Forebay<Definitions>, 'cache' | 'patterns' | 'redis' | 'close'>;

let shared: Promise<Shared> | undefined;

/**
 * Makes a client the process's own. The functions below wait for it while it connects.
 * @throws ForebayError ALREADY_SHARED; what `connect` throws: another may be shared then
 */
export async function share<F extends Shared>(connectClient: () => Promise<F>): Promise<F> {
  if (shared !== undefined) {
    throw new ForebayError(
      'ALREADY_SHARED',
      'This process shares a client already. Use that one, or call closeShared() first.',
    );
  }
  const connecting = connectClient();
  shared = connecting;
  try {
    return await connecting;
  } catch (error) {
    shared = undefined;
    throw error;
  }
}

/** Closes the shared client, when there is one; another may be shared then. */
export async function closeShared(): Promise<void> {
  const closing = shared;
  shared = undefined;
  await (await closing)?.close();
}

/** Single operations of the shared client. @throws ForebayError NOT_SHARED */
export async function sharedCache(): Promise<CacheService> {
  return (await client()).cache;
}

/*
 * The patterns and the questions about Redis, of the shared client: see the classes that they are named after.
 * Each throws NOT_SHARED before `share`.
 */

export const cacheAside: Patterns['cacheAside'] = async (...args) => (await patterns()).cacheAside(...args);
export const cacheAsideStale: Patterns['cacheAsideStale'] = async (...args) =>
  (await patterns()).cacheAsideStale(...args);
export const writeThrough: Patterns['writeThrough'] = async (...args) =>
  (await patterns()).writeThrough(...args);
export const writeBehind: Patterns['writeBehind'] = async (...args) =>
  (await patterns()).writeBehind(...args);
export const refreshAhead: Patterns['refreshAhead'] = async (...args) =>
  (await patterns()).refreshAhead(...args);
export const batchCacheAside: Patterns['batchCacheAside'] = async (...args) =>
  (await patterns()).batchCacheAside(...args);
export const preventStampede: Patterns['preventStampede'] = async (...args) =>
  (await patterns()).preventStampede(...args);
export const multiTierCache: Patterns['multiTierCache'] = async (...args) =>
  (await patterns()).multiTierCache(...args);
export const invalidateRelated: Patterns['invalidateRelated'] = async (...args) =>
  (await patterns()).invalidateRelated(...args);

/** False also while none is shared. */
export async function isRedisAvailable(): Promise<boolean> {
  return (await testRedisConnection()).ok;
}

/** Tells of a client that is not shared, or could not connect, as of a connection that fails. */
export async function testRedisConnection(): Promise<ConnectionTest> {
  const startedAt = performance.now();
  try {
    return await (await health()).testRedisConnection();
  } catch (error) {
    return { ok: false, latencyMs: performance.now() - startedAt, error: messageOf(error) };
  }
}

export async function getRedisInfo(): Promise<RedisInfo> {
  return (await health()).getRedisInfo();
}

export async function getRedisMemoryStats(): Promise<RedisMemoryStats> {
  return (await health()).getRedisMemoryStats();
}

export async function getRedisMetrics(): Promise<RedisMetrics> {
  return (await health()).getRedisMetrics();
}

async function patterns(): Promise<Patterns> {
  return (await client()).patterns;
}

async function health(): Promise<RedisHealth> {
  return (await client()).redis;
}

function client(): Promise<Shared> {
  if (shared !== undefined) return shared;
  const message =
    'No client is shared in this process. Call share(() => connect(stores, { prisma })) at its start.';
  return Promise.reject(new ForebayError('NOT_SHARED', message));
}
