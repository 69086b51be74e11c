/**
 * Services that somebody else runs, given by environment variables: reads the variables, and looks whether they answer.
 */

import { Redis } from 'ioredis';
import pg from 'pg';
import { reasonOf } from '../reason.js';
import { ServicesError } from './errors.js';

const ANSWER_MS = 5_000;

export interface Given {
  readonly url: string;
  /** For people, without the password: `db.example:5432 (DATABASE_URL)`. */
  readonly place: string;
}

/**
 * The Postgres of `DATABASE_URL`, or undefined when the variable is not set.
 * @throws ServicesError GIVEN_SERVICE_INVALID, GIVEN_SERVICE_UNREACHABLE
 */
export async function givenPostgres(env: NodeJS.ProcessEnv): Promise<Given | undefined> {
  if (!env.DATABASE_URL) return undefined;
  const url = parse(env.DATABASE_URL, 'DATABASE_URL', ['postgresql:', 'postgres:']);
  const given = { url: env.DATABASE_URL, place: placeOf(url, 5432, 'DATABASE_URL') };
  await reach('Postgres', given, () => askPostgres(given.url));
  return given;
}

/**
 * The Redis of `REDIS_URL`, else of `REDIS_HOST` with `REDIS_PORT` (6379), `REDIS_PASSWORD`, `REDIS_DB` (0); undefined when neither is set.
 * @throws ServicesError GIVEN_SERVICE_INVALID, GIVEN_SERVICE_UNREACHABLE
 */
export async function givenRedis(env: NodeJS.ProcessEnv): Promise<Given | undefined> {
  const variable = env.REDIS_URL ? 'REDIS_URL' : 'REDIS_HOST';
  const text = env.REDIS_URL || redisUrl(env);
  if (!text) return undefined;
  const url = parse(text, variable, ['redis:', 'rediss:']);
  const given = { url: text, place: placeOf(url, 6379, variable) };
  await reach('Redis', given, () => askRedis(text));
  return given;
}

function redisUrl(env: NodeJS.ProcessEnv): string | undefined {
  if (!env.REDIS_HOST) return undefined;
  const password = env.REDIS_PASSWORD ? `:${encodeURIComponent(env.REDIS_PASSWORD)}@` : '';
  const host = env.REDIS_HOST.includes(':') ? `[${env.REDIS_HOST}]` : env.REDIS_HOST;
  return `redis://${password}${host}:${env.REDIS_PORT || 6379}/${env.REDIS_DB || 0}`;
}

/** The error of `URL` is not passed on: it carries the text, and so the password. */
function parse(text: string, variable: string, protocols: readonly string[]): URL {
  if (!URL.canParse(text)) throw invalid(variable, 'it is not a URL', protocols);
  const url = new URL(text);
  if (!protocols.includes(url.protocol))
    throw invalid(variable, `it begins with ${url.protocol}//`, protocols);
  return url;
}

function invalid(variable: string, what: string, protocols: readonly string[]): ServicesError {
  const text = `${variable} can't be used: ${what}. Expected ${protocols.join('// or ')}//user:password@host:port/database, with special characters percent-encoded.`;
  return new ServicesError('GIVEN_SERVICE_INVALID', text);
}

function placeOf(url: URL, defaultPort: number, variable: string): string {
  return `${url.hostname}:${url.port || defaultPort} (${variable})`;
}

async function reach(name: string, given: Given, ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    const text = `${name} can't be used at ${given.place}: ${reasonOf(error)}. Start it or correct the variable, or unset the variable to have a ${name} of forebay's own started.`;
    throw new ServicesError('GIVEN_SERVICE_UNREACHABLE', text);
  }
}

async function askPostgres(connectionString: string): Promise<void> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
  });
  // A connection that breaks also rejects the query, below.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end();
  }
}

async function askRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    retryStrategy: () => null,
  });
  // `connect` only says that the connection is closed; the event says why.
  let cause: Error | undefined;
  redis.on('error', (error: Error) => {
    cause ??= error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw cause ?? error;
  } finally {
    redis.disconnect();
  }
}
