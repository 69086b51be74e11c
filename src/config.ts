/** Configuration from the environment: the only place that reads it. */
import { z } from 'zod';
import { ForebayError } from './errors.js';

export interface RedisSettings {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  /** TLS, as with a `rediss://` URL. */
  readonly tls: boolean;
}

export interface Config {
  /** What all keys and queues begin with. `FOREBAY_PREFIX`, default `forebay`. */
  readonly prefix: string;
  /** `REDIS_URL`, or `REDIS_HOST`, `REDIS_PORT`, `REDIS_USERNAME`, `REDIS_PASSWORD`, `REDIS_DB`, `REDIS_TLS`. */
  readonly redis: RedisSettings;
  /** The same names with `QUEUE_` before them; default: `redis`. */
  readonly queueRedis: RedisSettings;
  /** `DATABASE_URL`. */
  readonly databaseUrl?: string;
  /** `LOG_LEVEL`, default `info`. */
  readonly logLevel: string;
  readonly worker: {
    /** Lanes that one write-behind worker works on at once. `FOREBAY_LANES`, default 64. */
    readonly lanes: number;
    /** Connections of a worker to Postgres. `FOREBAY_CONNECTIONS`, default 4. */
    readonly connections: number;
  };
  readonly board: {
    /** `BOARD_HOST`, default 127.0.0.1. */
    readonly host: string;
    /** `BOARD_PORT`, default 3333; 0 for any free one. */
    readonly port: number;
    /** `BOARD_USER` and `BOARD_PASSWORD`: required when the host is not loopback. */
    readonly user?: string;
    readonly password?: string;
  };
}

const text = z.string().min(1).optional();
const integer = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .default(fallback);
const flag = z
  .enum(['true', 'false', '1', '0'])
  .default('false')
  .transform((value) => value === 'true' || value === '1');

const redisShape = {
  URL: z.string().refine(isRedisUrl, 'must be a URL such as redis://host:6379/0 or rediss://…').optional(),
  HOST: z.string().min(1).default('localhost'),
  PORT: integer(1, 65_535, 6_379),
  USERNAME: text,
  PASSWORD: text,
  DB: integer(0, 1_000, 0),
  TLS: flag,
};

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
});

/**
 * Reads and checks the environment; empty variables count as unset.
 * @throws ForebayError INVALID_CONFIG, which names each wrong variable, and never its value
 */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const hasQueueRedis = Object.keys(set).some((name) => name.startsWith('QUEUE_REDIS_'));
  const general = environment.safeParse(set);
  const redis = z.object(redisShape).safeParse(named(set, 'REDIS_'));
  const queueRedis = z.object(redisShape).safeParse(named(set, 'QUEUE_REDIS_'));
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
    redis: toSettings(redis.data),
    queueRedis: toSettings(hasQueueRedis ? queueRedis.data : redis.data),
    ...(values.DATABASE_URL === undefined ? {} : { databaseUrl: values.DATABASE_URL }),
    logLevel: values.LOG_LEVEL,
    worker: { lanes: values.FOREBAY_LANES, connections: values.FOREBAY_CONNECTIONS },
    board: {
      host: values.BOARD_HOST,
      port: values.BOARD_PORT,
      ...(values.BOARD_USER === undefined ? {} : { user: values.BOARD_USER }),
      ...(values.BOARD_PASSWORD === undefined ? {} : { password: values.BOARD_PASSWORD }),
    },
  };
}

/** The database's URL. @throws ForebayError INVALID_CONFIG when it is not set */
export function requireDatabaseUrl(config: Config): string {
  if (config.databaseUrl !== undefined) return config.databaseUrl;
  throw new ForebayError(
    'INVALID_CONFIG',
    'DATABASE_URL is not set. Set it to the Postgres database, e.g. postgresql://user:password@localhost:5432/app.',
  );
}

/** Settings from a URL such as `rediss://user:password@host:6379/0`. */
export function redisSettings(url: string): RedisSettings {
  const { hostname, port, username, password, pathname, protocol } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, '') || 'localhost',
    port: port === '' ? 6_379 : Number(port),
    db: Number(pathname.slice(1) || 0),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    tls: protocol === 'rediss:',
  };
}

function isRedisUrl(text: string): boolean {
  try {
    const { protocol, pathname, username, password } = new URL(text);
    decodeURIComponent(username + password);
    return /^rediss?:$/.test(protocol) && /^(\/\d{0,4})?$/.test(pathname);
  } catch {
    return false; // neither a URL nor decodable
  }
}

/** The variables that begin with `prefix`, without it. */
function named(env: Record<string, string | undefined>, prefix: string): Record<string, string | undefined> {
  return Object.fromEntries(Object.keys(redisShape).map((name) => [name, env[prefix + name]]));
}

function toSettings(values: z.output<z.ZodObject<typeof redisShape>>): RedisSettings {
  if (values.URL !== undefined) return redisSettings(values.URL);
  return {
    host: values.HOST,
    port: values.PORT,
    db: values.DB,
    ...(values.USERNAME === undefined ? {} : { username: values.USERNAME }),
    ...(values.PASSWORD === undefined ? {} : { password: values.PASSWORD }),
    tls: values.TLS,
  };
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
