/** Connections to Redis: one place that makes them, and that turns their errors into forebay's. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ForebayError, isForebayError, messageOf } from '../errors.js';
import type { Emit, ForebayEvent } from '../events.js';
import { placeOf, type RedisSettings } from '../redis-settings.js';
import {
  type ClientOptions,
  connectTimeoutMs,
  createClient,
  limitSilence,
  mastersOf,
  type RedisClient,
} from './client.js';
import type { ConnectionMetrics } from './connection-metrics.js';
import { inTime } from './deadline.js';
import { endsPredecessor } from './predecessor.js';
import { isKeptOut, isNotSent, isReplyError, meaningOf, toRefusal, toUnavailable } from './refusals.js';
import { dropsUnsent } from './unsent.js';

export type { RedisClient } from './client.js';

/**
 * What a connection is for.
 * - `cache`: never waits for a connection: what can't be had from Redis at once is loaded
 * - `reads`: a read is repeated after a reconnect, three times at most
 * - `writes`: a call is never sent twice: one that was under way when the connection broke may have been
 *   accepted, and a delta sent again would count twice
 * - `queue`: adds jobs, and looks at them for people; fails at once when the queue's Redis is away
 * - `worker`: waits for Redis to come back
 * - `jobs`: BullMQ's, on which its calls wait for jobs; waits for Redis too
 * - `subscriber`: receives messages; waits too
 * - `feed`: receives invalidations
 */
export type ConnectionRole =
  | 'cache'
  | 'reads'
  | 'writes'
  | 'queue'
  | 'worker'
  | 'jobs'
  | 'subscriber'
  | 'feed';

const commandTimeoutMs = 5_000;

/**
 * A connection that is silent for so long with a call under way is given up, and made anew: its peer may be
 * gone without a word, and then the system would keep it for a quarter of an hour.
 */
const silenceMaxMs = commandTimeoutMs + 1_000;
/** Between two tries to connect again: what waits for a connection goes on soon after a server is back. */
const retryMaxMs = 2_000;
/** BullMQ's workers wait for jobs with calls of up to 14 s. */
const waitingSilenceMaxMs = 18_000;

/**
 * A cache that is silent for longer is no cache. Of the socket, for a timer for each command costs a hit a
 * tenth of its time.
 */
const cacheTimeoutMs = 1_000;

const roleOptions: Record<ConnectionRole, ClientOptions> = {
  cache: {
    maxRetriesPerRequest: 0,
    socketTimeout: cacheTimeoutMs,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
  },
  reads: {
    maxRetriesPerRequest: 3,
    commandTimeout: commandTimeoutMs,
    socketTimeout: silenceMaxMs,
    enableAutoPipelining: true,
  },
  // With 0 retries ioredis rejects what is under way as soon as the connection breaks; with
  // autoResendUnfulfilledCommands off and retries left, it would leave it unsettled for ever.
  // A silent connection is given up before a call is: what came behind that on it would be in doubt too.
  writes: {
    maxRetriesPerRequest: 0,
    commandTimeout: silenceMaxMs,
    socketTimeout: commandTimeoutMs,
    enableOfflineQueue: false,
    isSentOnce: true,
  },
  queue: { maxRetriesPerRequest: 0, socketTimeout: silenceMaxMs, enableOfflineQueue: false },
  worker: { maxRetriesPerRequest: null, socketTimeout: silenceMaxMs },
  jobs: { maxRetriesPerRequest: null, socketTimeout: waitingSilenceMaxMs },
  subscriber: { maxRetriesPerRequest: null, socketTimeout: waitingSilenceMaxMs },
  // RESP2, for ioredis drops the messages of RESP3. Subscribed anew by its owner, once tracking is on again;
  // what was under way on a connection that broke means nothing on the next.
  feed: { maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResubscribe: false, protocol: 2 },
};

/** Who receives messages. */
export interface Subscriber {
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  subscribe(channel: string): Promise<unknown>;
}

/** Connections by name: whose settings, and what for. */
export type ConnectionPlan = Readonly<Record<string, readonly [RedisSettings, ConnectionRole]>>;

/**
 * Opens all connections, or none.
 * @param options `metrics` counts what becomes of them; `timeoutMs`: for each to connect, default 10,000
 * @throws ForebayError REDIS_UNAVAILABLE, which says in one sentence what is wrong
 */
export async function openConnections<P extends ConnectionPlan>(
  plan: P,
  emit: Emit,
  {
    metrics,
    timeoutMs = connectTimeoutMs,
  }: { metrics?: ConnectionMetrics | undefined; timeoutMs?: number } = {},
): Promise<{ readonly [Name in keyof P]: RedisClient }> {
  const connections = Object.entries(plan).map(([name, [settings, role]]) => {
    const redis = createRedis(settings, role, emit);
    metrics?.watch(redis);
    return { name, settings, role, redis };
  });
  try {
    await Promise.all(
      connections.map(async ({ redis, settings, role }) => {
        await connectRedis(redis, settings, timeoutMs);
        limitSilence(redis, roleOptions[role].socketTimeout);
      }),
    );
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
        await inTime(end(redis), deadlineMs);
      } catch {
        // Gone, or too slow: either way nobody waits any longer.
      } finally {
        redis.disconnect();
      }
    }),
  );
}

async function end(redis: RedisClient): Promise<void> {
  await quit(redis);
  const ended = new Promise((resolve) => redis.once('end', resolve));
  redis.disconnect();
  if (redis.status !== 'end') await ended;
}

/** Redis answers in order, so QUIT's answer comes after all others. */
async function quit(redis: RedisClient): Promise<void> {
  while (redis.status === 'ready' && redis.autoPipelineQueueSize > 0) await nextTurn();
  if (redis.status === 'ready') await redis.quit();
}

/**
 * Its silence is limited once it is connected: until then the time to connect counts, for a process that is
 * still loading hears nothing for longer than a cache may be silent.
 */
function createRedis(settings: RedisSettings, role: ConnectionRole, emit: Emit): RedisClient {
  const { socketTimeout: _, ...options } = roleOptions[role];
  const redis = createClient(settings, {
    ...(role === 'cache' ? {} : { retryMaxMs }),
    ...options,
    connectionName: `forebay-${role}`,
  });
  for (const event of ['error', 'node error']) {
    redis.on(event, (error: unknown) => emit({ type: 'redis.error', connection: role, error }));
  }
  dropsUnsent(redis);
  endsPredecessor(redis, (error) => emit(cannotEnd(role, error)));
  return redis;
}

function cannotEnd(role: ConnectionRole, error: Error): ForebayEvent {
  return {
    type: 'server.warning',
    what: `Redis does not let the ${role} connection end the one before it (${error.message}): a write in doubt may come behind later ones.`,
    advice: 'Allow CLIENT INFO and CLIENT KILL to its user; forebay check has the statement.',
  };
}

async function connectRedis(redis: RedisClient, settings: RedisSettings, timeoutMs: number): Promise<void> {
  let cause: unknown;
  const remember = (error: unknown): void => {
    cause ??= error;
  };
  const first = firstError(redis);
  for (const event of errorEvents) redis.on(event, remember);
  try {
    await inTime(Promise.race([greet(redis), first.error]), timeoutMs);
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
  await Promise.all(mastersOf(redis).map((master) => master.ping().catch(throwUnlessAnswer)));
}

/** A server that can't save its data refuses PING too (MISCONF), and still answers reads. */
function throwUnlessAnswer(error: unknown): void {
  if (!isReplyError(error) || isKeptOut(error)) throw error;
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
  const what = messageOf(cause).replace(/\.$/, '');
  const { retryable, advice } = meaningOf(cause) ?? {
    retryable: true,
    advice: connectAdvice(what, settings),
  };
  return new ForebayError('REDIS_UNAVAILABLE', `${place} can't be used: ${what}. ${advice}`, {
    retryable,
    cause,
    context: { place },
  });
}

function connectAdvice(message: string, settings: RedisSettings): string {
  if (/AUTH|WRONGPASS/i.test(message)) return 'Check REDIS_USERNAME and REDIS_PASSWORD.';
  if (/DB index/i.test(message)) return 'Check REDIS_DB.';
  if (/certificate|SSL|TLS/i.test(message)) return 'Check REDIS_TLS and the REDIS_TLS_ variables.';
  if ('nodes' in settings) return 'Check REDIS_CLUSTER_NODES and that the cluster serves all slots.';
  if ('sentinels' in settings)
    return 'Check REDIS_SENTINELS, REDIS_SENTINEL_NAME and that the sentinels run.';
  return 'Check REDIS_HOST, REDIS_PORT (or REDIS_URL) and that the server runs.';
}

/** Errors of a write: whether it was not sent, refused, or perhaps accepted. */
export function toWriteError(error: unknown): ForebayError {
  if (isForebayError(error)) return error;
  if (isReplyError(error)) return toRefusal('write', error);
  if (isNotSent(error)) return writeNotSent(error);
  return new ForebayError(
    'OUTCOME_UNKNOWN',
    `The connection to Redis broke while the write was on its way (${messageOf(error)}): it may have been accepted. ` +
      'A put or delete can be repeated; an add could count twice.',
    { cause: error },
  );
}

/** For a write that certainly was not accepted. */
export function writeNotSent(cause?: unknown): ForebayError {
  return toUnavailable("Redis can't be reached; the write was not sent", cause);
}

/** Errors of a call that can be repeated: a read, or a change of a cached value. */
export function toReadError(error: unknown): ForebayError {
  if (isForebayError(error)) return error;
  if (isReplyError(error)) return toRefusal('call', error);
  return toUnavailable(isNotSent(error) ? "Redis can't be reached" : 'Redis did not answer', error);
}

/** Of a read's error: nothing can be read there for now, be it that a server is there and says so. */
export function isAway({ code, retryable }: ForebayError): boolean {
  return code === 'REDIS_UNAVAILABLE' || (code === 'REDIS_REFUSED' && retryable);
}
