/** Clients of ioredis for what the settings name: a single server, one that sentinels know, or a cluster. */
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { ClusterSettings, RedisSettings, SentinelSettings, TlsSettings } from '../redis-settings.js';
import { tellWhetherSent } from './sent-commands.js';

/** Replies keep the shapes of RESP2. */
type Options = Omit<RedisOptions, 'replyMapping'>;

/** What forebay uses, both have. */
export type RedisClient = Redis | Cluster;

export function isCluster(redis: object): redis is Cluster {
  return redis instanceof Cluster;
}

export type { Redis } from 'ioredis';

export type ClientOptions = Options & {
  /** What was under way in a cluster when a connection broke is not sent again. Default false. */
  readonly isSentOnce?: boolean;
  /** Longest wait before the next try to connect. Default 10 s. */
  readonly retryMaxMs?: number;
};

/** Not connected yet. */
export function createClient(settings: RedisSettings, options: ClientOptions): RedisClient {
  const client = clientOf(settings, options);
  hidePassword(client);
  return client;
}

function clientOf(settings: RedisSettings, { isSentOnce, retryMaxMs, ...role }: ClientOptions): RedisClient {
  const { username, password } = settings;
  const retryStrategy = (attempt: number): number => retryWaitMs(attempt, retryMaxMs);
  const options: Options = {
    ...role,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    connectTimeout: connectTimeoutMs,
    keepAlive: keepAliveMs,
    disconnectTimeout: disconnectTimeoutMs,
    lazyConnect: true,
  };
  if ('nodes' in settings) return createClusterClient(settings, options, { isSentOnce, retryStrategy });
  return new CountedRedis({
    ...options,
    replyMapping: 'legacy',
    db: settings.db,
    retryStrategy,
    ...('sentinels' in settings
      ? { ...sentinelOptions(settings), sentinelRetryStrategy: retryStrategy }
      : { host: settings.host, port: settings.port, ...tlsOptions(settings.tls, settings.host) }),
  });
}

/** How long to wait before the next try to connect, in ms. */
export function retryWaitMs(attempt: number, maxMs = retryDefaultMaxMs): number {
  return Math.min(retryFirstMs * 2 ** (attempt - 1), maxMs);
}

/** The servers that hold the keys, each with its share of them. */
export function mastersOf(redis: RedisClient): readonly Redis[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis];
}

/** Tells of each server that it has connected to, in a cluster of each of its nodes. */
export function onConnect(redis: RedisClient, told: (server: Redis) => void): void {
  const watch = (server: Redis): void => void server.on('connect', () => told(server));
  if (isCluster(redis)) redis.on('+node', watch);
  else watch(redis);
}

/**
 * Tells of each server that may have older data than whoever answered before: one that is back, and in a
 * cluster one that came, or took another's place.
 */
export function onOtherMaster(redis: RedisClient, told: () => void): void {
  redis.on('ready', told);
  if (!isCluster(redis)) return;
  let known = redis.nodes('master');
  redis.on('refresh', () => {
    const masters = redis.nodes('master');
    if (masters.some((master) => !known.includes(master))) told();
    known = masters;
  });
}

/**
 * From now on gives up a connection, in a cluster that to any of its nodes, which is silent for so long with
 * a call under way. Copies that are made later do so too.
 */
export function limitSilence(redis: RedisClient, ms: number | undefined): void {
  if (ms === undefined) return;
  const limit = (options: ClientOptions = {}): void => {
    options.socketTimeout = ms;
  };
  if (isCluster(redis)) {
    limit(redis.options.redisOptions);
    for (const { options } of redis.nodes()) limit(options);
    redis.on('+node', ({ options }: Redis) => limit(options));
  } else limit(redis.options);
}

/** How many commands a client of `createClient` was given. */
export function commandsOf(redis: RedisClient): number {
  return redis instanceof CountedRedis || redis instanceof CountedCluster ? redis.commands : 0;
}

export const connectTimeoutMs = 10_000;
const retryFirstMs = 50;
const retryDefaultMaxMs = 10_000;
/** A connection whose peer is gone without a word counts as broken after this silence. */
const keepAliveMs = 10_000;
/**
 * For a socket's orderly end. ioredis waits for it also where the server has closed the socket already, and
 * so would keep a process that has stopped.
 */
const disconnectTimeoutMs = 100;
const sentinelTimeoutMs = 5_000;
const slotsTimeoutMs = 5_000;
/**
 * How often a cluster is asked who holds what. It also tells by itself, when it is asked the wrong server.
 */
const slotsEveryMs = 10_000;
/** Between two tries of a command whose server is being replaced. */
const failoverWaitMs = 100;
/** Tries: with their waits longer than a cluster takes to replace a server. */
const waitingTriesMax = 300;

class CountedRedis extends Redis {
  commands = 0;
  readonly #copies: RedisClient[] = [];

  /** Ends with this one. */
  override duplicate: Redis['duplicate'] = (options) => {
    const copy = super.duplicate(options);
    hidePassword(copy);
    this.#copies.push(copy);
    return copy;
  };

  override disconnect(reconnect = false): void {
    if (!reconnect) prepareEnd(this, this.#copies);
    super.disconnect(reconnect);
  }

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    this.commands += 1;
    return super.sendCommand(...args);
  }
}

class CountedCluster extends Cluster {
  commands = 0;
  readonly #copies: RedisClient[] = [];
  /** Whether commands wait for a cluster that is away. */
  isWaiting = true;
  /** Whether it is told of each command that failed if a server may have executed it. */
  isSentOnce = false;

  override sendCommand(...args: Parameters<Cluster['sendCommand']>): unknown {
    const [command] = args;
    this.commands += 1;
    if (this.isWaiting || this.status === 'ready' || command.name === 'cluster') {
      const send = () => super.sendCommand(...args);
      return this.isSentOnce ? tellWhetherSent(command, send) : send();
    }
    // ioredis's own switch for this would also refuse what has only to wait for the first connection to a
    // node.
    command.reject(new Error("Cluster isn't ready and enableOfflineQueue options is false"));
    return command.promise;
  }

  /** Ends with this one. */
  override duplicate: Cluster['duplicate'] = (nodes, options) => {
    const copy = super.duplicate(nodes, options);
    hidePassword(copy);
    this.#copies.push(copy);
    return copy;
  };

  override disconnect(reconnect = false): void {
    if (!reconnect) prepareEnd(this, this.#copies);
    super.disconnect(reconnect);
  }
}

/**
 * ioredis hangs the command on the error that refuses it, and so the password on that of a login, with which
 * it then ends all that waits for the connection. It emits that error before anybody hears of it.
 */
function hidePassword(redis: RedisClient): void {
  for (const event of ['error', 'node error']) {
    redis.on(event, (error: { command?: unknown }) => void delete error.command);
  }
}

/**
 * For a client that is to end, with the copies that were made of it. One that ends between two tries to
 * connect would leave those who wait for its end, or for an answer, waiting for ever: as one that has not
 * tried yet, it ends at once.
 */
function prepareEnd(redis: RedisClient, copies: readonly RedisClient[] = []): void {
  for (const copy of copies) {
    prepareEnd(copy);
    copy.disconnect();
  }
  if (redis.status === 'reconnecting') redis.status = 'wait';
}

interface ClusterWays {
  readonly isSentOnce: boolean | undefined;
  retryStrategy(attempt: number): number;
}

function createClusterClient(
  settings: ClusterSettings,
  { enableOfflineQueue: _, enableAutoPipelining: __, ...options }: Options,
  { isSentOnce = false, retryStrategy }: ClusterWays,
): Cluster {
  const isWaiting = options.maxRetriesPerRequest === null;
  const cluster = new CountedCluster([...settings.nodes], {
    lazyConnect: true,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: slotsTimeoutMs,
    slotsRefreshInterval: slotsEveryMs,
    // Of a role that never waits, neither where one server of many is away.
    retryDelayOnFailover: options.maxRetriesPerRequest === 0 ? 0 : failoverWaitMs,
    ...(isWaiting ? { maxRedirections: waitingTriesMax } : {}),
    // Names stay names, for that is what certificates have.
    dnsLookup: (address, callback) => callback(null, address),
    // No automatic pipelines: ioredis would sort calls of scripts into them by their first argument, which
    // need not be a key.
    redisOptions: { ...options, replyMapping: 'legacy', ...tlsOptions(settings.tls) },
  });
  cluster.isWaiting = isWaiting;
  cluster.isSentOnce = isSentOnce;
  return cluster;
}

function sentinelOptions(settings: SentinelSettings): Options {
  const { sentinels, name, sentinelUsername, sentinelPassword } = settings;
  const { tls } = tlsOptions(settings.tls);
  return {
    sentinels: [...sentinels],
    name,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    sentinelCommandTimeout: sentinelTimeoutMs,
    ...(tls ? { tls, sentinelTLS: tls, enableTLSForSentinelMode: true } : {}),
  };
}

function tlsOptions(tls: boolean | TlsSettings, host = ''): { tls?: ConnectionOptions } {
  if (tls === false) return {};
  // Node checks the certificate against the address by itself, and does not allow one as a name.
  const servername = host === '' || isIP(host) > 0 ? {} : { servername: host };
  return { tls: { ...servername, ...(tls === true ? {} : tls) } };
}
