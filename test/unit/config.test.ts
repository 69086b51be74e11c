/** Configuration from the environment: every variable, and what is refused. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Config, readConfig, requireDatabaseUrl } from '../../src/config.js';
import type { ForebayError } from '../../src/errors.js';
import { redisSettings } from '../../src/redis-settings.js';
import { refusal } from './definitions/models.js';

type Env = Record<string, string | undefined>;

const local = { host: 'localhost', port: 6_379, db: 0, tls: false };
const defaults: Config = {
  prefix: 'forebay',
  redis: local,
  queueRedis: local,
  logLevel: 'info',
  worker: { lanes: 64, connections: 4 },
  board: { host: '127.0.0.1', port: 3_333 },
};

/** Each variable with a value, the place in the config that it sets, and what it sets there. */
const variables: [string, string, string, unknown][] = [
  ['FOREBAY_PREFIX', 'my.app:1_-', 'prefix', 'my.app:1_-'],
  ['REDIS_HOST', 'cache', 'redis.host', 'cache'],
  ['REDIS_PORT', '6380', 'redis.port', 6_380],
  ['REDIS_USERNAME', 'me', 'redis.username', 'me'],
  ['REDIS_PASSWORD', 'p w', 'redis.password', 'p w'],
  ['REDIS_DB', '3', 'redis.db', 3],
  ['REDIS_TLS', 'true', 'redis.tls', true],
  ['REDIS_TLS', '1', 'redis.tls', true],
  ['REDIS_TLS', '0', 'redis.tls', false],
  ['REDIS_URL', 'redis://cache:1/2', 'redis', { host: 'cache', port: 1, db: 2, tls: false }],
  ['QUEUE_REDIS_HOST', 'jobs', 'queueRedis', { ...local, host: 'jobs' }],
  ['QUEUE_REDIS_PORT', '1', 'queueRedis', { ...local, port: 1 }],
  ['QUEUE_REDIS_USERNAME', 'me', 'queueRedis', { ...local, username: 'me' }],
  ['QUEUE_REDIS_PASSWORD', 'x', 'queueRedis', { ...local, password: 'x' }],
  ['QUEUE_REDIS_DB', '5', 'queueRedis', { ...local, db: 5 }],
  ['QUEUE_REDIS_TLS', 'true', 'queueRedis', { ...local, tls: true }],
  ['QUEUE_REDIS_URL', 'rediss://jobs', 'queueRedis', { host: 'jobs', port: 6_379, db: 0, tls: true }],
  ['DATABASE_URL', 'postgresql://u:p@db/app', 'databaseUrl', 'postgresql://u:p@db/app'],
  ['DATABASE_URL', 'postgres://db/app?schema=x', 'databaseUrl', 'postgres://db/app?schema=x'],
  ['LOG_LEVEL', 'silent', 'logLevel', 'silent'],
  ['FOREBAY_LANES', '10000', 'worker.lanes', 10_000],
  ['FOREBAY_CONNECTIONS', '1', 'worker.connections', 1],
  ['FOREBAY_HEALTH', '9464', 'health', { kind: 'port', host: '127.0.0.1', from: 9_464, to: 9_464 }],
  ['FOREBAY_HEALTH', '[::]:1-9', 'health', { kind: 'port', host: '::', from: 1, to: 9 }],
  ['FOREBAY_HEALTH', 'unix:/run/{pid}', 'health', { kind: 'socket', path: '/run/{pid}' }],
  ['BOARD_HOST', '::1', 'board.host', '::1'],
  ['BOARD_PORT', '0', 'board.port', 0],
  ['BOARD_USER', 'admin', 'board.user', 'admin'],
  ['BOARD_PASSWORD', 'x', 'board.password', 'x'],
];

describe('the configuration', () => {
  it('has defaults, and nothing where nothing is set', () => {
    expect(readConfig({})).toStrictEqual(defaults);
  });

  test.each(variables)('takes %s=%s as %s', (name, value, place, expected) => {
    expect(readConfig({ [name]: value })).toHaveProperty(place, expected);
  });

  it('takes empty variables for unset ones', () => {
    const empty = Object.fromEntries(variables.map(([name]) => [name, '']));
    expect(readConfig(empty)).toStrictEqual(defaults);
  });

  it('has one Redis for cache and queues unless a QUEUE_REDIS_ variable is set', () => {
    const { redis, queueRedis } = readConfig({ REDIS_HOST: 'cache', REDIS_DB: '2' });
    expect(queueRedis).toEqual(redis);
    expect(readConfig({ REDIS_HOST: 'cache', QUEUE_REDIS_DB: '2' }).queueRedis).toEqual({ ...local, db: 2 });
  });

  it('prefers a URL to the single variables', () => {
    expect(readConfig({ REDIS_URL: 'redis://cache', REDIS_HOST: 'other', REDIS_DB: '7' }).redis).toEqual({
      ...local,
      host: 'cache',
    });
  });

  it('ignores variables that are not its own', () => {
    expect(readConfig({ PATH: '/bin', REDIS_FOO: 'x' })).toStrictEqual(defaults);
  });
});

const wrong: [string, string][] = [
  ['FOREBAY_PREFIX', 'a{b}'],
  ['FOREBAY_PREFIX', 'x'.repeat(65)],
  ['REDIS_PORT', '0'],
  ['REDIS_PORT', '65536'],
  ['REDIS_PORT', '6379x'],
  ['REDIS_PORT', '-1'],
  ['REDIS_PORT', '1e3'],
  ['REDIS_DB', '1001'],
  ['REDIS_DB', '1.5'],
  ['REDIS_TLS', 'yes'],
  ['REDIS_URL', 'http://cache'],
  ['REDIS_URL', 'cache:6379'],
  ['REDIS_URL', 'redis://cache/zero'],
  ['REDIS_URL', 'redis://cache/0/1'],
  ['REDIS_URL', 'redis://cache/-1'],
  ['REDIS_URL', 'redis://user:s%zz@cache'],
  ['REDIS_CLUSTER_NODES', 'a'],
  ['REDIS_CLUSTER_NODES', 'a:1,,b:2'],
  ['REDIS_CLUSTER_NODES', 'redis://a:1'],
  ['REDIS_CLUSTER_NODES', 'a:x'],
  ['REDIS_TLS_CA', '/no/such/file.pem'],
  ['QUEUE_REDIS_PORT', 'x'],
  ['QUEUE_REDIS_DB', '-2'],
  ['QUEUE_REDIS_TLS', 'TRUE'],
  ['QUEUE_REDIS_URL', 'jobs'],
  ['DATABASE_URL', 'mysql://db/app'],
  ['DATABASE_URL', 'db/app'],
  ['LOG_LEVEL', 'verbose'],
  ['FOREBAY_LANES', '0'],
  ['FOREBAY_LANES', '10001'],
  ['FOREBAY_CONNECTIONS', '1001'],
  ['FOREBAY_HEALTH', 'yes'],
  ['FOREBAY_HEALTH', '9464-9463'],
  ['FOREBAY_HEALTH', 'unix:'],
  ['BOARD_PORT', '65536'],
];

describe('a wrong variable', () => {
  test.each(wrong)('is refused by its name: %s=%s', (name, value) => {
    const error = failureOf({ [name]: value });
    expect(error).toEqual(refusal('INVALID_CONFIG', `- ${name}: `));
    expect(error.context.variables).toEqual([name]);
  });

  it('is never printed, as it may be a secret', () => {
    const names = [...new Set(wrong.map(([name]) => name))];
    const secret = fc.stringMatching(/^[!-~]{8,30}$/).map((text) => `s3cret ${text}`);
    fc.assert(
      fc.property(fc.constantFrom(...names), secret, (name, value) => {
        const { message, context } = failureOf({ [name]: value });
        expect(`${message} ${JSON.stringify(context)}`).not.toContain('s3cret');
      }),
    );
  });

  it('is named together with every other wrong one', () => {
    const error = failureOf({ FOREBAY_LANES: 'x', BOARD_PORT: 'x', REDIS_PORT: 'x', QUEUE_REDIS_DB: 'x' });
    const names = ['FOREBAY_LANES', 'BOARD_PORT', 'REDIS_PORT', 'QUEUE_REDIS_DB'];
    expect(error).toEqual(refusal('INVALID_CONFIG', ...names.map((name) => `- ${name}: `)));
  });
});

function failureOf(env: Env): ForebayError {
  try {
    readConfig(env);
  } catch (error) {
    return error as ForebayError;
  }
  throw new Error(`accepted: ${JSON.stringify(env)}`);
}

const sentinels = { REDIS_SENTINELS: 'a:26379, [::1]:26380', REDIS_SENTINEL_NAME: 'mymaster' };
const nodes = { REDIS_CLUSTER_NODES: 'a:7000,b:7001' };
const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
const access = { db: 0, tls: false };

describe('R1 where Redis is', () => {
  test.each<[string, Env, object]>([
    [
      'a server that sentinels know',
      { ...sentinels, REDIS_PASSWORD: 'p', REDIS_DB: '2' },
      {
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: '::1', port: 26_380 },
        ],
        name: 'mymaster',
        password: 'p',
        db: 2,
        tls: false,
      },
    ],
    [
      'sentinels with a user of their own',
      { ...sentinels, REDIS_SENTINEL_USERNAME: 'me', REDIS_SENTINEL_PASSWORD: 's', REDIS_TLS: '1' },
      {
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: '::1', port: 26_380 },
        ],
        name: 'mymaster',
        sentinelUsername: 'me',
        sentinelPassword: 's',
        db: 0,
        tls: true,
      },
    ],
    [
      'a cluster',
      { ...nodes, REDIS_USERNAME: 'me' },
      {
        nodes: [
          { host: 'a', port: 7_000 },
          { host: 'b', port: 7_001 },
        ],
        username: 'me',
        ...access,
      },
    ],
    [
      'TLS with what it needs',
      { REDIS_TLS: 'true', REDIS_TLS_CA: pem, REDIS_TLS_CERT: pem, REDIS_TLS_KEY: pem },
      { host: 'localhost', port: 6_379, db: 0, tls: { ca: pem, cert: pem, key: pem } },
    ],
    [
      'TLS by a URL',
      { REDIS_URL: 'rediss://cache', REDIS_TLS_SERVERNAME: 'redis.test' },
      { host: 'cache', port: 6_379, db: 0, tls: { servername: 'redis.test' } },
    ],
  ])('%s', (_, env, settings) => {
    expect(readConfig(env).redis).toStrictEqual(settings);
    const queueEnv = Object.fromEntries(Object.entries(env).map(([name, value]) => [`QUEUE_${name}`, value]));
    expect(readConfig(queueEnv).queueRedis).toStrictEqual(settings);
  });

  it('a certificate may be a file', () => {
    const file = new URL('../support/tls/certificate.pem', import.meta.url).pathname;
    const { redis } = readConfig({ REDIS_TLS: 'true', REDIS_TLS_CA: file });
    expect(redis.tls).toEqual({ ca: expect.stringContaining('-----BEGIN CERTIFICATE-----') });
  });

  test.each<[string, Env, string]>([
    ['sentinels and a cluster', { ...sentinels, ...nodes }, 'REDIS_CLUSTER_NODES'],
    ['sentinels and a URL', { ...sentinels, REDIS_URL: 'redis://cache' }, 'REDIS_URL'],
    ['a cluster and a host', { ...nodes, REDIS_HOST: 'cache' }, 'REDIS_HOST'],
    ['a cluster and a port', { ...nodes, REDIS_PORT: '1' }, 'REDIS_PORT'],
    ['a cluster and a db', { ...nodes, REDIS_DB: '1' }, 'REDIS_DB'],
    ['sentinels without the name', { REDIS_SENTINELS: 'a:1' }, 'REDIS_SENTINEL_NAME'],
    ['the name without sentinels', { REDIS_SENTINEL_NAME: 'a' }, 'REDIS_SENTINELS'],
    [
      "a sentinels' user without a password",
      { ...sentinels, REDIS_SENTINEL_USERNAME: 'me' },
      'REDIS_SENTINEL_PASSWORD',
    ],
    ['TLS and a URL without it', { REDIS_URL: 'redis://cache', REDIS_TLS: 'true' }, 'REDIS_URL'],
    ['a CA without TLS', { REDIS_TLS_CA: pem }, 'REDIS_TLS'],
    ['a CA with a URL without TLS', { REDIS_URL: 'redis://cache', REDIS_TLS_CA: pem }, 'REDIS_URL'],
    ['a certificate without a key', { REDIS_TLS: '1', REDIS_TLS_CERT: pem }, 'REDIS_TLS_KEY'],
    ['a key without a certificate', { REDIS_TLS: '1', REDIS_TLS_KEY: pem }, 'REDIS_TLS_CERT'],
    [
      'a cluster and a db, for the queues',
      { QUEUE_REDIS_CLUSTER_NODES: 'a:1', QUEUE_REDIS_DB: '1' },
      'QUEUE_REDIS_DB',
    ],
  ])('%s is refused', (_, env, variable) => {
    const error = failureOf(env);
    expect(error).toEqual(refusal('INVALID_CONFIG', `- ${variable}: `));
    expect(error.context.variables).toEqual([variable]);
  });
});

describe('the URL of a Redis', () => {
  test.each<[string, object]>([
    ['redis://cache', { host: 'cache', port: 6_379, db: 0, tls: false }],
    ['redis://cache:6380/4', { host: 'cache', port: 6_380, db: 4, tls: false }],
    [
      'rediss://me:p%40ss%2Fword@cache/1',
      { username: 'me', password: 'p@ss/word', host: 'cache', port: 6_379, db: 1, tls: true },
    ],
    [
      'redis://:only-password@cache',
      { password: 'only-password', host: 'cache', port: 6_379, db: 0, tls: false },
    ],
    ['redis://[::1]:7000', { host: '::1', port: 7_000, db: 0, tls: false }],
  ])('%s', (url, settings) => {
    expect(redisSettings(url)).toStrictEqual(settings);
  });

  it('gives a password back, whatever it contains', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (password) => {
        const url = `redis://me:${encodeURIComponent(password)}@cache`;
        expect(redisSettings(url).password).toBe(password);
      }),
    );
  });
});

test('the URL of the database is required only by who asks for it', () => {
  expect(requireDatabaseUrl(readConfig({ DATABASE_URL: 'postgresql://db/app' }))).toBe('postgresql://db/app');
  expect(() => requireDatabaseUrl(readConfig({}))).toThrow(
    refusal('INVALID_CONFIG', 'DATABASE_URL is not set'),
  );
});
