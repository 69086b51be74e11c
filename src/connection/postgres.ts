/** The adapter of a Prisma client for Postgres, with the limits that forebay's transactions need. */
import { PrismaPg } from '@prisma/adapter-pg';
import { quoteIdentifier } from './identifier.js';
import { postgresLimits } from './postgres-limits.js';

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

/**
 * `url` may carry Prisma's `?schema=name`: then unqualified tables are found there. With `?pgbouncer=true`
 * the session is asked for no settings, which PgBouncer would refuse.
 */
export function createPrismaAdapter(url: string, options: PrismaAdapterOptions): PrismaPg {
  const { connectionString, schema, isPooled } = splitUrl(url);
  return new PrismaPg(
    {
      connectionString,
      max: options.connections,
      application_name: options.name,
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      ...(isPooled ? {} : sessionSettings(schema)),
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
