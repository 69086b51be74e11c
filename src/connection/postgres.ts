/** The adapter of a Prisma client for Postgres, with the limits that forebay's transactions need. */
import { PrismaPg } from '@prisma/adapter-pg';
import { quoteIdentifier } from './identifier.js';
import { LimitedClient } from './limited-client.js';
import { postgresLimits } from './postgres-limits.js';
import { type Session, SilentSessions } from './silent-sessions.js';

/** Of the driver, as the adapter takes it. */
type PoolConfig = Exclude<ConstructorParameters<typeof PrismaPg>[0], string | { end(): unknown }>;

/** How an adapter connects to Postgres. */
export interface PrismaAdapterOptions {
  /** Most connections. */
  readonly connections: number;
  /** How the connections are named in pg_stat_activity. */
  readonly name: string;
}

const connectTimeoutMs = 5_000;
/** An idle connection whose peer is gone is found about 10 s after this. */
const keepAliveMs = 10_000;

/**
 * `url` may carry Prisma's `?schema=name`: then unqualified tables are found there. With `?pgbouncer=true`
 * the session is asked for no settings, which PgBouncer would refuse: each transaction brings them, and each
 * statement outside of one gets one.
 */
export function createPrismaAdapter(url: string, options: PrismaAdapterOptions): PrismaPg {
  const { connectionString, schema, isPooled } = splitUrl(url);
  const place = {
    connectionString,
    application_name: options.name,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
  };
  return new PrismaPg(
    {
      ...place,
      max: options.connections,
      ...(isPooled ? limitedByTransaction : { ...sessionSettings(schema), ...endOfSilentOnes(place) }),
    },
    schema === undefined ? {} : { schema },
  );
}

const limitedByTransaction = { Client: LimitedClient, pipeline: true } as PoolConfig;

/** The pool's hook for each connection that it makes. */
function endOfSilentOnes(place: object): PoolConfig {
  const sessions = new SilentSessions((like) => {
    const Client = like.constructor as new (config: object) => Session;
    return new Client({ ...place, query_timeout: connectTimeoutMs });
  });
  return {
    verify: (client: unknown, done: (error?: Error) => void) =>
      void sessions.watch(client as Session).then(() => done(), done),
  } as PoolConfig;
}

/**
 * For a look at the database: one connection, as the server gives it, that does not wait for longer than
 * `timeoutMs` for anything.
 */
export function createPlainAdapter(url: string, name: string, timeoutMs: number): PrismaPg {
  const { connectionString, schema } = splitUrl(url);
  return new PrismaPg(
    {
      connectionString,
      max: 1,
      application_name: name,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
    },
    schema === undefined ? {} : { schema },
  );
}

export interface UrlParts {
  readonly connectionString: string;
  readonly schema: string | undefined;
  readonly isPooled: boolean;
}

export function splitUrl(url: string): UrlParts {
  const parsed = new URL(url);
  const schema = parsed.searchParams.get('schema') ?? undefined;
  const isPooled = parsed.searchParams.get('pgbouncer') === 'true';
  parsed.searchParams.delete('schema');
  parsed.searchParams.delete('pgbouncer');
  return { connectionString: parsed.toString(), schema, isPooled };
}

/** Of the app's own queries too; forebay's transactions have limits of their own. */
function sessionSettings(schema: string | undefined): PoolConfig {
  const { statementTimeoutMs, lockTimeoutMs, idleInTransactionMs } = postgresLimits;
  return {
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    ...(schema === undefined ? {} : { options: `-c search_path=${escapeOption(quoteIdentifier(schema))}` }),
  };
}

/** In libpq's `options`, a backslash keeps a space or a backslash from ending the value. */
function escapeOption(value: string): string {
  return value.replace(/[\\ ]/g, '\\$&');
}
