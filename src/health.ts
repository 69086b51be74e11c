/**
 * `forebay/health`: how the Redis of the client that the process shares (`forebay/shared`) is doing. Of any
 * other client, ask `app.redis`.
 */
import type { RedisMetrics } from './connection/connection-metrics.js';
import type { ConnectionTest, RedisInfo, RedisMemoryStats } from './connection/health.js';
import { messageOf } from './errors.js';
import { sharedClient } from './shared.js';

export type { RedisMetrics } from './connection/connection-metrics.js';
export type { ConnectionTest, RedisInfo, RedisMemoryStats } from './connection/health.js';

/** Whether Redis answers a PING within a second. False also while no client is shared. */
export async function isRedisAvailable(): Promise<boolean> {
  return (await testRedisConnection()).ok;
}

/**
 * A PING and what it took, in ms; in a cluster, the slowest master's. It waits for a second at most, and
 * never throws: a client that is not shared, or could not connect, is told of as a connection that fails.
 */
export async function testRedisConnection(): Promise<ConnectionTest> {
  const startedAt = performance.now();
  try {
    return await (await sharedClient()).redis.testRedisConnection();
  } catch (error) {
    return { ok: false, latencyMs: performance.now() - startedAt, error: messageOf(error) };
  }
}

/**
 * What the server says of itself: version, mode, role, uptime, clients and commands. It waits for 5 s at
 * most.
 * @throws ForebayError REDIS_UNAVAILABLE, NOT_SHARED
 */
export async function getRedisInfo(): Promise<RedisInfo> {
  return (await sharedClient()).redis.getRedisInfo();
}

/**
 * The server's memory, in bytes: used, peak and limit, with its policy and what it has evicted. It waits for
 * 5 s at most.
 * @throws ForebayError REDIS_UNAVAILABLE, NOT_SHARED
 */
export async function getRedisMemoryStats(): Promise<RedisMemoryStats> {
  return (await sharedClient()).redis.getRedisMemoryStats();
}

/**
 * What this process has counted of its own connections: connects, reconnects, errors, commands and uptime.
 * Redis is not asked.
 * @throws ForebayError NOT_SHARED
 */
export async function getRedisMetrics(): Promise<RedisMetrics> {
  return (await sharedClient()).redis.getRedisMetrics();
}
