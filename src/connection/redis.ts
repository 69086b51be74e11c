/** Connections to Redis: one place that makes them, and that turns their errors into forebay's. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ForebayError, isForebayError, messageOf } from '../errors.js';
import type { Emit } from '../events.js';
import { placeOf, type RedisSettings } from '../redis-settings.js';
import { type ClientOptions, connectTimeoutMs, createClient, mastersOf, type RedisClient } from './client.js';
import type { ConnectionMetrics } from './connection-metrics.js';
import { inTime } from './deadline.js';

export type { RedisClient } from './client.js';

/**
 * What a connection is for.
 * - `cache`: never waits for a connection: what can't be had from Redis at once is loaded
 * - `reads`: a read is repeated after a reconnect, three times at most
 * - `writes`: a call is never sent twice: one that was under way when the connection broke may have been
 *   accepted, and a delta sent again would count twice
 * - `queue`: adds jobs; fails at once when the queue's Redis is away
 * - `worker`: waits for Redis to come back
 * - `subscriber`: receives messages; waits too
 * - `feed`: receives invalidations
 */
export type ConnectionRole = 'cache' | 'reads' | 'writes' | 'queue' | 'worker' | 'subscriber' | 'feed';

const commandTimeoutMs = 5_000;

/** A cache that is silent for longer is no cache. Of the socket, for a timer for each command costs a hit a tenth of its time. */
const cacheTimeoutMs = 1_000;

const roleOptions: Record<ConnectionRole, ClientOptions> = {
  cache: {
    maxRetriesPerRequest: 0,
    socketTimeout: cacheTimeoutMs,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
  },
  reads: { maxRetriesPerRequest: 3, commandTimeout: commandTimeoutMs, enableAutoPipelining: true },
  // With 0 retries ioredis rejects what is under way as soon as the connection breaks; with
  // autoResendUnfulfilledCommands off and retries left, it would leave it unsettled for ever.
  writes: {
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    enableOfflineQueue: false,
    isSentOnce: true,
  },
  queue: { maxRetriesPerRequest: 0, enableOfflineQueue: false },
  worker: { maxRetriesPerRequest: null },
  subscriber: { maxRetriesPerRequest: null },
  // RESP2, for ioredis drops the messages of RESP3. Subscribed anew by its owner, once tracking is on again; what was under way on
  // a connection that broke means nothing on the next.
  feed: { maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResubscribe: false, protocol: 2 },
};

/** Connections by name: whose settings, and what for. */
export type ConnectionPlan = Readonly<Record<string, readonly [RedisSettings, ConnectionRole]>>;

/**
 * Opens all connections, or none.
 * @param metrics counts what becomes of them
 * @throws ForebayError REDIS_UNAVAILABLE, which says in one sentence what is wrong
 */
export async function openConnections<P extends ConnectionPlan>(
  plan: P,
  emit: Emit,
  metrics?: ConnectionMetrics,
): Promise<{ readonly [Name in keyof P]: RedisClient }> {
  const connections = Object.entries(plan).map(([name, [settings, role]]) => {
    const redis = createRedis(settings, role, emit);
    metrics?.watch(redis);
    return { name, settings, redis };
  });
  try {
    await Promise.all(connections.map(({ redis, settings }) => connectRedis(redis, settings)));
  } catch (error) {
    for (const { redis } of connections) redis.disconnect();
    throw error;
  }
  return Object.fromEntries(connections.map(({ name, redis }) => [name, redis])) as {
    [Name in keyof P]: RedisClient;
  };
}

/**
 * Lets the commands that are under way finish, for `deadlineMs` in all at most, and disconnects.
 * A connection that is down is not waited for.
 */
export async function closeConnections(
  connections: Readonly<Record<string, RedisClient>>,
  deadlineMs: number,
): Promise<void> {
  await Promise.all(
    Object.values(connections).map(async (redis) => {
      try {
        await inTime(quit(redis), deadlineMs);
      } catch {
        // Gone, or too slow: either way nobody waits any longer.
      } finally {
        redis.disconnect();
      }
    }),
  );
}

/** Redis answers in order, so QUIT's answer comes after all others. */
async function quit(redis: RedisClient): Promise<void> {
  while (redis.status === 'ready' && redis.autoPipelineQueueSize > 0) await nextTurn();
  if (redis.status === 'ready') await redis.quit();
}

function createRedis(settings: RedisSettings, role: ConnectionRole, emit: Emit): RedisClient {
  const redis = createClient(settings, { ...roleOptions[role], connectionName: `forebay-${role}` });
  for (const event of ['error', 'node error']) {
    redis.on(event, (error: unknown) => emit({ type: 'redis.error', connection: role, error }));
  }
  return redis;
}

async function connectRedis(redis: RedisClient, settings: RedisSettings): Promise<void> {
  let cause: unknown;
  const remember = (error: unknown): void => {
    cause ??= error;
  };
  const first = firstError(redis);
  for (const event of errorEvents) redis.on(event, remember);
  try {
    await inTime(Promise.race([greet(redis), first.error]), connectTimeoutMs);
  } catch (error) {
    throw cannotConnect(settings, cause ?? error);
  } finally {
    first.forget();
    for (const event of errorEvents) redis.off(event, remember);
  }
}

const errorEvents = ['error', 'node error', 'sentinelError'] as const;

/** Also makes the connections to a cluster's nodes, so that the first commands do not wait for them. */
async function greet(redis: RedisClient): Promise<void> {
  await redis.connect();
  await Promise.all(mastersOf(redis).map((master) => master.ping()));
}

/** ioredis itself would go on looking for a sentinel. */
function firstError(redis: RedisClient): { error: Promise<never>; forget(): void } {
  let forget = (): void => undefined;
  const error = new Promise<never>((_, reject) => {
    redis.on('error', reject);
    forget = () => redis.off('error', reject);
  });
  return { error, forget };
}

function cannotConnect(settings: RedisSettings, cause: unknown): ForebayError {
  const place = placeOf(settings);
  const what = messageOf(cause);
  return new ForebayError(
    'REDIS_UNAVAILABLE',
    `${place} can't be used: ${what}. ${connectAdvice(what, settings)}`,
    { retryable: true, cause, context: { place } },
  );
}

function connectAdvice(message: string, settings: RedisSettings): string {
  if (/NOAUTH|WRONGPASS|AUTH/i.test(message)) return 'Check REDIS_USERNAME and REDIS_PASSWORD.';
  if (/DB index/i.test(message)) return 'Check REDIS_DB.';
  if (/certificate|SSL|TLS/i.test(message)) return 'Check REDIS_TLS and the REDIS_TLS_ variables.';
  if ('nodes' in settings) return 'Check REDIS_CLUSTER_NODES and that the cluster serves all slots.';
  if ('sentinels' in settings)
    return 'Check REDIS_SENTINELS, REDIS_SENTINEL_NAME and that the sentinels run.';
  return 'Check REDIS_HOST, REDIS_PORT (or REDIS_URL) and that the server runs.';
}

/** Errors of a write: whether it was not sent, refused, or perhaps accepted. */
export function toWriteError(error: unknown): ForebayError {
  if (error instanceof ForebayError) return error;
  const message = messageOf(error);
  if (isReplyError(error)) return refusedWrite(message, error);
  if (isNotSent(error)) return writeNotSent(error);
  return new ForebayError(
    'OUTCOME_UNKNOWN',
    `The connection to Redis broke while the write was on its way (${message}): it may have been accepted. ` +
      'A put or delete can be repeated; an add could count twice.',
    { cause: error },
  );
}

/** Whether the server itself has answered, with a refusal. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Whether ioredis has refused a command because the connection is down, before anything was sent. */
export function isNotSent(error: unknown): boolean {
  return messageOf(error).includes('enableOfflineQueue');
}

/** For a write that certainly was not accepted. */
export function writeNotSent(cause?: unknown): ForebayError {
  return new ForebayError(
    'REDIS_UNAVAILABLE',
    "Redis can't be reached; the write was not sent. Try again later.",
    {
      retryable: true,
      cause,
    },
  );
}

function refusedWrite(message: string, cause: Error): ForebayError {
  if (/\bOOM\b/.test(message)) return outOfMemory(cause);
  const advice = 'Check the server and the rights of its user.';
  return new ForebayError('REDIS_REFUSED', `Redis refused the write: ${message}. ${advice}`, {
    cause,
    retryable: /^(LOADING|READONLY|BUSY|TRYAGAIN|MASTERDOWN|NOREPLICAS|MISCONF|CLUSTERDOWN)/.test(message),
  });
}

function outOfMemory(cause: Error): ForebayError {
  return new ForebayError(
    'REDIS_OUT_OF_MEMORY',
    "Redis refused the write, for its memory limit is reached. Let the workers drain the backlog, raise maxmemory, or shorten the entries' life.",
    { cause, retryable: true },
  );
}

/** Errors of a read. */
export function toReadError(error: unknown): ForebayError {
  if (isForebayError(error)) return error;
  const message = messageOf(error).replace(/\.$/, '');
  if (isReplyError(error)) {
    const advice = 'Check the server and the rights of its user.';
    return new ForebayError('REDIS_REFUSED', `Redis refused the read: ${message}. ${advice}`, {
      cause: error,
    });
  }
  return new ForebayError('REDIS_UNAVAILABLE', `Redis can't be read: ${message}. Try again later.`, {
    retryable: true,
    cause: error,
  });
}
