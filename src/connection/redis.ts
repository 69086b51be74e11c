/** Connections to Redis: one place that makes them, and that turns their errors into forebay's. */
import { Redis, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../config.js';
import { ForebayError, messageOf } from '../errors.js';
import type { Emit } from '../events.js';

export type { Redis } from 'ioredis';

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

const roleOptions: Record<ConnectionRole, RedisOptions> = {
  cache: {
    maxRetriesPerRequest: 0,
    socketTimeout: cacheTimeoutMs,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
  },
  reads: { maxRetriesPerRequest: 3, commandTimeout: commandTimeoutMs, enableAutoPipelining: true },
  // With 0 retries ioredis rejects what is under way as soon as the connection breaks; with
  // autoResendUnfulfilledCommands off and retries left, it would leave it unsettled for ever.
  writes: { maxRetriesPerRequest: 0, commandTimeout: commandTimeoutMs, enableOfflineQueue: false },
  queue: { maxRetriesPerRequest: 0, enableOfflineQueue: false },
  worker: { maxRetriesPerRequest: null },
  subscriber: { maxRetriesPerRequest: null },
  // RESP2, for ioredis drops the messages of RESP3. Subscribed anew by its owner, once tracking is on again.
  feed: { maxRetriesPerRequest: null, autoResubscribe: false, protocol: 2 },
};

const connectTimeoutMs = 10_000;
const retryFirstMs = 50;
const retryMaxMs = 10_000;
/** A connection whose peer is gone without a word counts as broken after this silence. */
const keepAliveMs = 10_000;

/** Connections by name: whose settings, and what for. */
export type ConnectionPlan = Readonly<Record<string, readonly [RedisSettings, ConnectionRole]>>;

/**
 * Opens all connections, or none.
 * @throws ForebayError REDIS_UNAVAILABLE, which says in one sentence what is wrong
 */
export async function openConnections<P extends ConnectionPlan>(
  plan: P,
  emit: Emit,
): Promise<{ readonly [Name in keyof P]: Redis }> {
  const connections = Object.entries(plan).map(([name, [settings, role]]) => {
    return { name, settings, redis: createRedis(settings, role, emit) };
  });
  try {
    await Promise.all(connections.map(({ redis, settings }) => connectRedis(redis, settings)));
  } catch (error) {
    for (const { redis } of connections) redis.disconnect();
    throw error;
  }
  return Object.fromEntries(connections.map(({ name, redis }) => [name, redis])) as {
    [Name in keyof P]: Redis;
  };
}

function createRedis(settings: RedisSettings, role: ConnectionRole, emit: Emit): Redis {
  const { tls, host, port, db, username, password } = settings;
  const redis: Redis = new Redis({
    host,
    port,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: { servername: host } } : {}),
    connectionName: `forebay-${role}`,
    connectTimeout: connectTimeoutMs,
    keepAlive: keepAliveMs,
    lazyConnect: true,
    retryStrategy: (attempt: number) => Math.min(retryFirstMs * 2 ** (attempt - 1), retryMaxMs),
    ...roleOptions[role],
    replyMapping: 'legacy',
  });
  redis.on('error', (error) => emit({ type: 'redis.error', connection: role, error }));
  return redis;
}

async function connectRedis(redis: Redis, settings: RedisSettings): Promise<void> {
  let cause: unknown;
  const remember = (error: unknown): void => {
    cause ??= error;
  };
  redis.on('error', remember);
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    const what = messageOf(cause ?? error);
    throw new ForebayError(
      'REDIS_UNAVAILABLE',
      `Redis at ${settings.host}:${settings.port} can't be used: ${what}. ${connectAdvice(what)}`,
      { retryable: true, cause: cause ?? error, context: { host: settings.host, port: settings.port } },
    );
  } finally {
    redis.off('error', remember);
  }
}

function connectAdvice(message: string): string {
  if (/NOAUTH|WRONGPASS|AUTH/i.test(message)) return 'Check REDIS_USERNAME and REDIS_PASSWORD.';
  if (/DB index/i.test(message)) return 'Check REDIS_DB.';
  return 'Check REDIS_HOST, REDIS_PORT (or REDIS_URL) and that the server runs.';
}

/** Errors of a write: whether it was not sent, refused, or perhaps accepted. */
export function toWriteError(error: unknown): ForebayError {
  if (error instanceof ForebayError) return error;
  const message = messageOf(error);
  if (error instanceof Error && error.name === 'ReplyError') return refusedWrite(message, error);
  if (isNotSent(error)) return writeNotSent(error);
  return new ForebayError(
    'OUTCOME_UNKNOWN',
    `The connection to Redis broke while the write was on its way (${message}): it may have been accepted. ` +
      'A put or delete can be repeated; an add could count twice.',
    { cause: error },
  );
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
  const advice = message.startsWith('OOM')
    ? 'Its memory limit is reached: raise maxmemory, or let the workers drain the backlog.'
    : 'Check the server and the rights of its user.';
  return new ForebayError('REDIS_REFUSED', `Redis refused the write: ${message}. ${advice}`, {
    cause,
    retryable: /^(OOM|LOADING|READONLY|BUSY|TRYAGAIN|MASTERDOWN|NOREPLICAS|MISCONF|CLUSTERDOWN)/.test(
      message,
    ),
  });
}

/** Errors of a read. */
export function toReadError(error: unknown): ForebayError {
  return new ForebayError('REDIS_UNAVAILABLE', `Redis can't be read: ${messageOf(error)}. Try again later.`, {
    retryable: true,
    cause: error,
  });
}
