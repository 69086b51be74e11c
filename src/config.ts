/** Configuration from the environment: the only place that reads it. */
import { z } from 'zod';
import { ForebayError } from './errors.js';
import { parseRedisVariables, type RedisSettings } from './redis-settings.js';

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
  /** `LOG_LEVEL`, default `info`. */
  readonly logLevel: string;
  /** Of worker processes. */
  readonly worker: {
    /** Lanes that one write-behind worker works on at once. `FOREBAY_LANES`, default 64. */
    readonly lanes: number;
    /** Connections of a worker to Postgres. `FOREBAY_CONNECTIONS`, default 4. */
    readonly connections: number;
  };
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
    readonly readerPassword?: string;
    /** `BOARD_PROXY_HEADER`: the header in which a reverse proxy says who asks, e.g. `x-forwarded-user`. */
    readonly proxyHeader?: string;
    /** `BOARD_PROXY_ADDRESSES`: from where the proxy is believed, e.g. `10.0.0.7,10.1.0.0/16`. */
    readonly proxyAddresses?: readonly string[];
    /** `BOARD_PROXY_OPERATORS`: whom of those that it names may change things. Default: nobody. */
    readonly proxyOperators?: readonly string[];
  };
}

const text = z.string().min(1).optional();
const list = z
  .string()
  .transform((names) => names.split(',').map((name) => name.trim()))
  .optional();
const integer = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .default(fallback);
const environment = z.object({
  FOREBAY_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,64}$/, 'must be 1 to 64 of letters, digits and _ . : -')
    .default('forebay'),
  DATABASE_URL: z
    .url({
      protocol: /^postgres(ql)?$/,
      error: 'must be a URL such as postgresql://user:password@host:5432/name',
    })
    .optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  FOREBAY_LANES: integer(1, 10_000, 64),
  FOREBAY_CONNECTIONS: integer(1, 1_000, 4),
  BOARD_HOST: z.string().min(1).default('127.0.0.1'),
  BOARD_PORT: integer(0, 65_535, 3_333),
  BOARD_USER: text,
  BOARD_PASSWORD: text,
  BOARD_READER: text,
  BOARD_READER_PASSWORD: text,
  BOARD_PROXY_HEADER: text,
  BOARD_PROXY_ADDRESSES: list,
  BOARD_PROXY_OPERATORS: list,
});

/**
 * Reads and checks the environment; empty variables count as unset.
 * @throws ForebayError INVALID_CONFIG, which names each wrong variable, and never its value
 */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const hasQueueRedis = Object.keys(set).some((name) => name.startsWith('QUEUE_REDIS_'));
  const general = environment.safeParse(set);
  const redis = parseRedisVariables(set, 'REDIS_');
  const queueRedis = parseRedisVariables(set, 'QUEUE_REDIS_');
  if (!general.success || !redis.success || !queueRedis.success) {
    throw invalidEnvironment([
      ...issuesOf(general, ''),
      ...issuesOf(redis, 'REDIS_'),
      ...issuesOf(queueRedis, 'QUEUE_REDIS_'),
    ]);
  }
  const values = general.data;
  return {
    prefix: values.FOREBAY_PREFIX,
    redis: redis.data,
    queueRedis: hasQueueRedis ? queueRedis.data : redis.data,
    ...(values.DATABASE_URL === undefined ? {} : { databaseUrl: values.DATABASE_URL }),
    logLevel: values.LOG_LEVEL,
    worker: { lanes: values.FOREBAY_LANES, connections: values.FOREBAY_CONNECTIONS },
    board: boardOf(values),
  };
}

function boardOf(values: z.output<typeof environment>): Config['board'] {
  const given = {
    user: values.BOARD_USER,
    password: values.BOARD_PASSWORD,
    reader: values.BOARD_READER,
    readerPassword: values.BOARD_READER_PASSWORD,
    proxyHeader: values.BOARD_PROXY_HEADER,
    proxyAddresses: values.BOARD_PROXY_ADDRESSES,
    proxyOperators: values.BOARD_PROXY_OPERATORS,
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { host: values.BOARD_HOST, port: values.BOARD_PORT, ...set };
}

/** The database's URL. @throws ForebayError INVALID_CONFIG when it is not set */
export function requireDatabaseUrl(config: Config): string {
  if (config.databaseUrl !== undefined) return config.databaseUrl;
  throw new ForebayError(
    'INVALID_CONFIG',
    'DATABASE_URL is not set. Set it to the Postgres database, e.g. postgresql://user:password@localhost:5432/app.',
  );
}

interface Issue {
  readonly variable: string;
  readonly message: string;
}

function issuesOf(result: z.ZodSafeParseResult<unknown>, prefix: string): Issue[] {
  return (result.error?.issues ?? []).map(({ path, message }) => ({
    variable: prefix + path.join('.'),
    message,
  }));
}

function invalidEnvironment(issues: readonly Issue[]): ForebayError {
  const problems = issues.map(({ variable, message }) => `- ${variable}: ${message}`);
  return new ForebayError('INVALID_CONFIG', `The environment can't be used:\n${problems.join('\n')}`, {
    context: { variables: issues.map(({ variable }) => variable) },
  });
}
