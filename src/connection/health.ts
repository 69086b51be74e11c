/** How Redis is doing. Every question is answered within its deadline, also when Redis is not. */
import { closedError, ForebayError, messageOf } from '../errors.js';
import { mastersOf, type RedisClient } from './client.js';
import type { ConnectionMetrics, RedisMetrics } from './connection-metrics.js';
import { inTime } from './deadline.js';
import { readServerInfos, type ServerInfo } from './server-info.js';

/** What came of a PING: `latencyMs` is what it took, in ms. */
export type ConnectionTest =
  | { readonly ok: true; readonly latencyMs: number }
  | { readonly ok: false; readonly latencyMs: number; readonly error: string };

/** In a cluster: of all masters together. */
export interface RedisInfo {
  /** The oldest one. Of Valkey: the version of Redis that it speaks. */
  readonly version: string;
  /** `standalone`, `sentinel` or `cluster`. */
  readonly mode: string;
  /** `master` or `slave`. */
  readonly role: string;
  /** How many were asked: 1, or a cluster's masters. */
  readonly servers: number;
  /** Since the last start of any of them. */
  readonly uptimeSeconds: number;
  /** Connections to the server, of all programs. */
  readonly connectedClients: number;
  /** Lately, as the server measures it. */
  readonly commandsPerSecond: number;
  /** Since its start. */
  readonly commandsProcessed: number;
}

/** In a cluster: sums over all masters. */
export interface RedisMemoryStats {
  /** Memory that Redis uses. */
  readonly usedBytes: number;
  /** The most that it has used. */
  readonly peakBytes: number;
  /** 0: not limited. */
  readonly maxBytes: number;
  /** Of what the limit allows, 0 to 1; undefined without a limit. */
  readonly usedShare: number | undefined;
  /** Memory that the system gave, by what is used. */
  readonly fragmentationRatio: number;
  /** The `maxmemory-policy`. */
  readonly policy: string;
  /** Keys that had to go for room, since its start. */
  readonly evictedKeys: number;
  /** Keys whose life was over, since its start. */
  readonly expiredKeys: number;
}

/** The questions about one connection, for an app. */
export interface RedisHealth {
  /** Whether Redis answers a PING within a second. */
  isRedisAvailable(): Promise<boolean>;
  /** A PING and what it took, in ms; it waits for a second at most, and never throws. */
  testRedisConnection(): Promise<ConnectionTest>;
  /** What the server says of itself. @throws ForebayError REDIS_UNAVAILABLE */
  getRedisInfo(): Promise<RedisInfo>;
  /** The server's memory, in bytes. @throws ForebayError REDIS_UNAVAILABLE */
  getRedisMemoryStats(): Promise<RedisMemoryStats>;
  /** What this client has counted of its own connections; Redis is not asked. */
  getRedisMetrics(): RedisMetrics;
}

export function createHealth(redis: RedisClient, metrics: ConnectionMetrics): RedisHealth {
  return {
    isRedisAvailable: () => isRedisAvailable(redis),
    testRedisConnection: () => testRedisConnection(redis),
    getRedisInfo: () => getRedisInfo(redis),
    getRedisMemoryStats: () => getRedisMemoryStats(redis),
    getRedisMetrics: () => metrics.getRedisMetrics(),
  };
}

/** @param timeoutMs default 1,000 */
export async function isRedisAvailable(redis: RedisClient, timeoutMs = pingTimeoutMs): Promise<boolean> {
  return (await testRedisConnection(redis, timeoutMs)).ok;
}

/** PING and its time; in a cluster, the slowest master's. @param timeoutMs default 1,000 */
export async function testRedisConnection(
  redis: RedisClient,
  timeoutMs = pingTimeoutMs,
): Promise<ConnectionTest> {
  const startedAt = performance.now();
  try {
    await inTime(ping(redis), timeoutMs);
    return { ok: true, latencyMs: performance.now() - startedAt };
  } catch (error) {
    return { ok: false, latencyMs: performance.now() - startedAt, error: messageOf(error) };
  }
}

/** @param timeoutMs default 5,000. @throws ForebayError REDIS_UNAVAILABLE */
export async function getRedisInfo(redis: RedisClient, timeoutMs = infoTimeoutMs): Promise<RedisInfo> {
  const infos = await infosOf(redis, timeoutMs);
  return {
    version: infos.map(versionOf).sort(compareVersions)[0] ?? '',
    mode: infos[0].text('redis_mode') ?? infos[0].text('server_mode') ?? '', // Valkey's name for it.
    role: infos[0].text('role') ?? '',
    servers: infos.length,
    uptimeSeconds: Math.min(...infos.map((info) => info.number('uptime_in_seconds'))),
    connectedClients: sumOf(infos, 'connected_clients'),
    commandsPerSecond: sumOf(infos, 'instantaneous_ops_per_sec'),
    commandsProcessed: sumOf(infos, 'total_commands_processed'),
  };
}

/** @param timeoutMs default 5,000. @throws ForebayError REDIS_UNAVAILABLE */
export async function getRedisMemoryStats(
  redis: RedisClient,
  timeoutMs = infoTimeoutMs,
): Promise<RedisMemoryStats> {
  const infos = await infosOf(redis, timeoutMs);
  const usedBytes = sumOf(infos, 'used_memory');
  const isLimited = infos.every((info) => info.number('maxmemory') > 0);
  const maxBytes = isLimited ? sumOf(infos, 'maxmemory') : 0;
  return {
    usedBytes,
    peakBytes: sumOf(infos, 'used_memory_peak'),
    maxBytes,
    usedShare: isLimited ? usedBytes / maxBytes : undefined,
    fragmentationRatio: usedBytes === 0 ? 1 : sumOf(infos, 'used_memory_rss') / usedBytes,
    policy: infos[0].text('maxmemory_policy') ?? '',
    evictedKeys: sumOf(infos, 'evicted_keys'),
    expiredKeys: sumOf(infos, 'expired_keys'),
  };
}

const pingTimeoutMs = 1_000;
const infoTimeoutMs = 5_000;

async function ping(redis: RedisClient): Promise<void> {
  // A client that waits for its connection would keep the command until then, and send it.
  if (redis.status !== 'ready') throw new Error(`the connection is not up (${redis.status})`);
  await Promise.all(mastersOf(redis).map((master) => master.ping()));
}

async function infosOf(
  redis: RedisClient,
  timeoutMs: number,
): Promise<readonly [ServerInfo, ...ServerInfo[]]> {
  if (redis.status === 'end') throw closedError();
  try {
    const [first, ...others] = await inTime(readServerInfos(redis), timeoutMs);
    if (first === undefined) throw new Error('no server is known');
    return [first, ...others];
  } catch (error) {
    throw new ForebayError(
      'REDIS_UNAVAILABLE',
      `Redis can't be asked: ${messageOf(error)}. Try again later.`,
      {
        retryable: true,
        cause: error,
      },
    );
  }
}

function sumOf(infos: readonly ServerInfo[], field: string): number {
  return infos.reduce((sum, info) => sum + info.number(field), 0);
}

function versionOf(info: ServerInfo): string {
  return info.text('redis_version') ?? '';
}

function compareVersions(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}
