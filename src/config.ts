/** Configuration from the environment: the only place that reads it. */
import { ForebayError } from './errors.js';
import { quoted } from './given.js';
import { type HealthPlace, parseHealthPlace } from './health-place.js';
import { type RedisSettings, readRedisSettings } from './redis-settings.js';
import { asText, matching, oneOf, Variables, Wrong, whole } from './variables.js';

export type { HealthPlace } from './health-place.js';
export type { RedisSettings } from './redis-settings.js';

/** What forebay is told by the environment. */
export interface Config {
  /** What all keys and queues begin with. `FOREBAY_PREFIX`, default `forebay`. */
  readonly prefix: string;
  /**
   * `REDIS_URL`, or `REDIS_HOST`, `REDIS_PORT`, `REDIS_USERNAME`, `REDIS_PASSWORD`, `REDIS_DB`, `REDIS_TLS`.
   * Instead of host and port: `REDIS_SENTINELS`, `REDIS_SENTINEL_NAME`, `REDIS_SENTINEL_USERNAME`,
   * `REDIS_SENTINEL_PASSWORD`; or `REDIS_CLUSTER_NODES`. For TLS: `REDIS_TLS_CA`, `REDIS_TLS_CERT`,
   * `REDIS_TLS_KEY` (each a PEM text or a path), `REDIS_TLS_SERVERNAME`.
   */
  readonly redis: RedisSettings;
  /** The same names with `QUEUE_` before them; default: `redis`. */
  readonly queueRedis: RedisSettings;
  /** `DATABASE_URL`. */
  readonly databaseUrl?: string;
  /** `FOREBAY_STORES`: the module that exports the stores, for the command `forebay`. */
  readonly storesFile?: string;
  /** `LOG_LEVEL`, default `info`. */
  readonly logLevel: string;
  /** Of worker processes. */
  readonly worker: {
    /** Lanes that one write-behind worker works on at once. `FOREBAY_LANES`, default 64. */
    readonly lanes: number;
    /** Connections of a worker to Postgres. `FOREBAY_CONNECTIONS`, default 4. */
    readonly connections: number;
  };
  /**
   * Where a worker process answers `/live`, `/ready` and `/metrics`. `FOREBAY_HEALTH`: `9464`, `9464-9479`
   * (the first free port), `0.0.0.0:9464`, or `unix:/run/forebay/{name}-{pid}.sock`. Default: nowhere.
   */
  readonly health?: HealthPlace;
  /** Of the process that shows Bull Board. */
  readonly board: {
    /** `BOARD_HOST`, default 127.0.0.1. */
    readonly host: string;
    /** `BOARD_PORT`, default 3333; 0 for any free one. */
    readonly port: number;
    /** `BOARD_USER` and `BOARD_PASSWORD`: required when the host is not loopback. */
    readonly user?: string;
    /** Of `BOARD_USER`, who may change things. */
    readonly password?: string;
    /** `BOARD_READER` and `BOARD_READER_PASSWORD`: who may look, and change nothing. Default: nobody. */
    readonly reader?: string;
    /** Of `BOARD_READER`. */
    readonly readerPassword?: string;
    /** `BOARD_PROXY_HEADER`: the header in which a reverse proxy says who asks, e.g. `x-forwarded-user`. */
    readonly proxyHeader?: string;
    /** `BOARD_PROXY_ADDRESSES`: from where the proxy is believed, e.g. `10.0.0.7,10.1.0.0/16`. */
    readonly proxyAddresses?: readonly string[];
    /** `BOARD_PROXY_OPERATORS`: whom of those that it names may change things. Default: nobody. */
    readonly proxyOperators?: readonly string[];
  };
}

const prefixPattern = /^[A-Za-z0-9_.:-]{1,64}$/;
const prefixRule = 'must be 1 to 64 of letters, digits and _ . : -';
const prefixOf = matching(prefixPattern, prefixRule);
const levelOf = oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent');

/**
 * Reads and checks the environment; empty variables count as unset.
 * @throws ForebayError INVALID_CONFIG, which names each wrong variable, and never its value
 */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const variables = new Variables(env);
  const redis = readRedisSettings(variables, 'REDIS_');
  const databaseUrl = variables.read('DATABASE_URL', postgresUrl);
  const health = variables.read('FOREBAY_HEALTH', healthPlace);
  const storesFile = variables.read('FOREBAY_STORES', asText);
  const config = {
    prefix: variables.read('FOREBAY_PREFIX', prefixOf) ?? 'forebay',
    redis,
    queueRedis: variables.has('QUEUE_REDIS_') ? readRedisSettings(variables, 'QUEUE_REDIS_') : redis,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    ...(storesFile === undefined ? {} : { storesFile }),
    logLevel: variables.read('LOG_LEVEL', levelOf) ?? 'info',
    ...(health === undefined ? {} : { health }),
    worker: {
      lanes: variables.read('FOREBAY_LANES', whole(1, 10_000)) ?? 64,
      connections: variables.read('FOREBAY_CONNECTIONS', whole(1, 1_000)) ?? 4,
    },
    board: readBoard(variables),
  };
  variables.check();
  return config;
}

function readBoard(variables: Variables): Config['board'] {
  const given = {
    user: variables.read('BOARD_USER', asText),
    password: variables.read('BOARD_PASSWORD', asText),
    reader: variables.read('BOARD_READER', asText),
    readerPassword: variables.read('BOARD_READER_PASSWORD', asText),
    proxyHeader: variables.read('BOARD_PROXY_HEADER', asText),
    proxyAddresses: variables.read('BOARD_PROXY_ADDRESSES', namesOf),
    proxyOperators: variables.read('BOARD_PROXY_OPERATORS', namesOf),
  };
  return {
    host: variables.read('BOARD_HOST', asText) ?? '127.0.0.1',
    port: variables.read('BOARD_PORT', whole(0, 65_535)) ?? 3_333,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

function namesOf(list: string): string[] {
  return list.split(',').map((name) => name.trim());
}

function healthPlace(text: string): HealthPlace {
  const place = parseHealthPlace(text);
  if (place) return place;
  throw new Wrong('must be such as 9464, 9464-9479, 0.0.0.0:9464 or unix:/run/forebay/{name}-{pid}.sock');
}

function postgresUrl(text: string): string {
  if (URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol)) return text;
  throw new Wrong('must be a URL such as postgresql://user:password@host:5432/name');
}

/**
 * Of a configuration that was made by hand: what `readConfig` sees to. A brace in the prefix would take the
 * lanes out of their slots.
 * @throws ForebayError INVALID_CONFIG
 */
export function checkConfig({
  prefix,
  redis,
  queueRedis,
}: Pick<Config, 'prefix' | 'redis' | 'queueRedis'>): void {
  if (typeof prefix !== 'string' || !prefixPattern.test(prefix))
    throw new ForebayError('INVALID_CONFIG', `The prefix ${prefixRule}; it is ${quoted(prefix)}.`);
  for (const [name, settings] of Object.entries({ redis, queueRedis })) {
    if (typeof settings !== 'object' || settings === null)
      throw new ForebayError(
        'INVALID_CONFIG',
        `${name} must be settings such as redisSettings gives, not ${quoted(settings)}.`,
      );
  }
}

/** The database's URL. @throws ForebayError INVALID_CONFIG when it is not set */
export function requireDatabaseUrl(config: Config): string {
  if (config.databaseUrl !== undefined) return config.databaseUrl;
  throw new ForebayError(
    'INVALID_CONFIG',
    'DATABASE_URL is not set. Set it to the Postgres database, e.g. postgresql://user:password@localhost:5432/app.',
  );
}

/** For processes that are started: this one's environment, and more. */
export function environmentWith(more: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return { ...process.env, ...more };
}
