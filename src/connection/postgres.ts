/** The adapter of a Prisma client for Postgres, with the limits that forebay's transactions need. */
import { PrismaPg } from '@prisma/adapter-pg';
import { quoteIdentifier } from './identifier.js';

/** How an adapter connects to Postgres. */
export interface PrismaAdapterOptions {
  /** Most connections. */
  readonly connections: number;
  /** How the connections are named in pg_stat_activity. */
  readonly name: string;
}

/** A worker paused inside a transaction holds its lane's ledger row; Postgres ends its session after this. */
const idleInTransactionMs = 3_000;
const statementTimeoutMs = 60_000;
const lockTimeoutMs = 30_000;
const connectTimeoutMs = 5_000;

/** `url` may carry Prisma's `?schema=name`: then unqualified tables are found there. */
export function createPrismaAdapter(url: string, options: PrismaAdapterOptions): PrismaPg {
  const { connectionString, schema } = splitSchema(url);
  return new PrismaPg(
    {
      connectionString,
      max: options.connections,
      application_name: options.name,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      keepAlive: true,
      ...(schema === undefined ? {} : { options: `-c search_path=${escapeOption(quoteIdentifier(schema))}` }),
    },
    schema === undefined ? {} : { schema },
  );
}

function splitSchema(url: string): { connectionString: string; schema: string | undefined } {
  const parsed = new URL(url);
  const schema = parsed.searchParams.get('schema') ?? undefined;
  parsed.searchParams.delete('schema');
  return { connectionString: parsed.toString(), schema };
}

/** In libpq's `options`, a backslash keeps a space or a backslash from ending the value. */
function escapeOption(value: string): string {
  return value.replace(/[\\ ]/g, '\\$&');
}
