/** What is wrong with a Postgres server, a database or its user; tables have rules of their own. */
import { environment, type Found, type Mend, type Rule, shell, sql } from '../../connection/finding.js';
import { quoteIdentifier } from '../../connection/identifier.js';
import type { PostgresFacts } from './postgres-facts.js';

/** ON CONFLICT, identity and generated columns, and `to_regclass` are of 12 or older. */
const versionMin = 120_000;

export const postgresRules: readonly Rule<PostgresFacts>[] = [
  {
    code: 'POSTGRES_TOO_OLD',
    severity: 'error',
    about: 'The server is older than forebay can use.',
    find: ({ version, version_number }) =>
      version_number < versionMin
        ? {
            what: `This is Postgres ${version}`,
            consequence: 'forebay needs 12 or newer.',
            mend: shell('apt-get install postgresql'),
          }
        : undefined,
  },
  {
    code: 'POSTGRES_STANDBY',
    severity: 'error',
    about: 'The address is that of a standby.',
    find: ({ standby }) =>
      standby
        ? {
            what: 'This Postgres is a standby',
            consequence: 'it takes no writes: nothing is applied.',
            mend: environment('DATABASE_URL=postgresql://USER:PASSWORD@PRIMARY:5432/NAME'),
          }
        : undefined,
  },
  {
    code: 'POSTGRES_READ_ONLY',
    severity: 'error',
    about: 'Transactions are read-only by default.',
    find: (facts) =>
      settingOf(facts, 'default_transaction_read_only') === 'on' && !facts.standby
        ? {
            what: 'default_transaction_read_only is on',
            consequence: 'every batch fails, and the backlog grows.',
            mend: settingMend(facts, 'default_transaction_read_only', 'off'),
          }
        : undefined,
  },
  {
    code: 'POSTGRES_ASYNC_COMMIT',
    severity: 'error',
    about: '`synchronous_commit` is off.',
    find: (facts) =>
      settingOf(facts, 'synchronous_commit') === 'off'
        ? {
            what: 'synchronous_commit is off',
            consequence:
              'a crash of Postgres loses batches that Redis has forgotten, for they were said to be committed.',
            mend: settingMend(facts, 'synchronous_commit', 'on'),
          }
        : undefined,
  },
  {
    code: 'POSTGRES_NO_FSYNC',
    severity: 'error',
    about: '`fsync` or `full_page_writes` is off.',
    find: (facts) =>
      ['fsync', 'full_page_writes'].flatMap((name): Found[] =>
        settingOf(facts, name) === 'off'
          ? [
              {
                what: `${name} is off`,
                consequence: 'a crash of the machine can destroy the database.',
                mend: settingMend(facts, name, 'on'),
              },
            ]
          : [],
      ),
  },
  {
    code: 'POSTGRES_ISOLATION',
    severity: 'warning',
    about: '`default_transaction_isolation` is stricter than read committed.',
    find: (facts) => {
      const isolation = settingOf(facts, 'default_transaction_isolation') ?? 'read committed';
      if (/^read/.test(isolation)) return undefined;
      return {
        what: `default_transaction_isolation is ${isolation}`,
        consequence: 'batches of two workers that touch one row fail, and are tried again.',
        mend: settingMend(facts, 'default_transaction_isolation', "'read committed'"),
      };
    },
  },
  {
    code: 'POSTGRES_NO_AUTOVACUUM',
    severity: 'warning',
    about: '`autovacuum` is off.',
    find: (facts) =>
      settingOf(facts, 'autovacuum') === 'off'
        ? {
            what: 'autovacuum is off',
            consequence:
              'rows that are written again and again, as counters and the ledger, leave their old versions for ever.',
            mend: settingMend(facts, 'autovacuum', 'on'),
          }
        : undefined,
  },
  {
    code: 'POSTGRES_WAL_LEVEL',
    severity: 'error',
    about: "There is a publication of forebay's, and `wal_level` is not logical.",
    find: (facts) => {
      const level = settingOf(facts, 'wal_level');
      if (!facts.published || level === undefined || level === 'logical') return undefined;
      return {
        what: `There is a publication for changes of other writers, and wal_level is ${level}`,
        consequence: 'Postgres tells of no change: what the cache has of rows that others write stays old.',
        mend: sql('ALTER SYSTEM SET wal_level = logical; -- and start Postgres again'),
      };
    },
  },
  {
    code: 'POSTGRES_ENCODING',
    severity: 'error',
    about: "The database's encoding is not UTF8.",
    find: ({ encoding, database }) =>
      encoding === 'UTF8'
        ? undefined
        : {
            what: `The encoding of database ${database} is ${encoding}`,
            consequence: 'texts with other characters are refused, or come back changed.',
            mend: sql(
              `CREATE DATABASE ${quoteIdentifier(`${database}_utf8`)} ENCODING 'UTF8' TEMPLATE template0;`,
            ),
          },
  },
  timeoutRule(
    'POSTGRES_STATEMENT_TIMEOUT',
    'statement_timeout',
    5_000,
    'reads and queries of the app that take longer are ended.',
  ),
  timeoutRule(
    'POSTGRES_LOCK_TIMEOUT',
    'lock_timeout',
    1_000,
    'statements of the app that wait longer for a row are ended.',
  ),
  timeoutRule(
    'POSTGRES_IDLE_IN_TRANSACTION',
    'idle_in_transaction_session_timeout',
    1_000,
    'transactions of the app are ended while it thinks.',
  ),
  timeoutRule(
    'POSTGRES_TRANSACTION_TIMEOUT',
    'transaction_timeout',
    60_000,
    'batches that take longer are rolled back, and tried again for ever.',
  ),
  timeoutRule(
    'POSTGRES_IDLE_SESSION',
    'idle_session_timeout',
    Number.POSITIVE_INFINITY,
    'pooled connections are ended while nothing is written, and the next batch fails once.',
  ),
  {
    code: 'POSTGRES_CONNECTIONS',
    severity: 'warning',
    about: 'There are fewer free connections than a worker opens.',
    find: (facts) => {
      const { worker } = facts;
      const [least] = limitsOf(facts).sort((a, b) => a.limit - a.used - (b.limit - b.used));
      if (least === undefined || least.limit - least.used >= worker.connections) return undefined;
      return {
        what: `${least.name} allows ${least.limit} connections, and ${least.used} are in use`,
        consequence: `a worker opens ${worker.connections} (FOREBAY_CONNECTIONS): batches wait, or fail.`,
        mend: least.mend(least.used + 5 * worker.connections),
      };
    },
  },
  {
    code: 'POSTGRES_POOL_UNUSED',
    severity: 'warning',
    about: '`FOREBAY_CONNECTIONS` is larger than `FOREBAY_LANES`.',
    find: ({ worker }) =>
      worker.connections > worker.lanes
        ? {
            what: `FOREBAY_CONNECTIONS is ${worker.connections}, and FOREBAY_LANES ${worker.lanes}`,
            consequence: 'a lane needs one connection at a time: the others are never used.',
            mend: environment(`FOREBAY_LANES=${16 * worker.connections}`),
          }
        : undefined,
  },
  {
    code: 'POSTGRES_POOLER_UNTOLD',
    severity: 'error',
    about: 'There is a PgBouncer in between, and `DATABASE_URL` does not say so.',
    find: ({ pooler }) =>
      pooler.isUntold
        ? {
            what: 'There is a pooler in between that takes no settings of sessions (PgBouncer)',
            consequence: "it refuses every connection of forebay's adapter.",
            mend: environment('DATABASE_URL=postgresql://…?pgbouncer=true'),
          }
        : undefined,
  },
  {
    code: 'POSTGRES_POOLER_MODE',
    severity: 'error',
    about: 'PgBouncer is in statement mode.',
    find: ({ pooler }) =>
      pooler.isByStatement
        ? {
            what: 'PgBouncer is in statement mode',
            consequence: 'it refuses transactions: nothing is applied.',
            mend: { at: 'file', line: 'pool_mode = transaction' },
          }
        : undefined,
  },
  {
    code: 'POSTGRES_SCHEMA_MISSING',
    severity: 'error',
    about: 'The schema of `DATABASE_URL` is not there.',
    find: ({ schema, schemaName }) =>
      schema
        ? undefined
        : {
            what: `There is no schema ${schemaName}`,
            consequence: 'there are no tables to write to. Apply the migrations then.',
            mend: sql(`CREATE SCHEMA ${quoteIdentifier(schemaName)};`),
          },
  },
  {
    code: 'POSTGRES_SCHEMA_RIGHTS',
    severity: 'error',
    about: 'The user may not look into the schema.',
    find: ({ schema, usage, schemaName, user }) =>
      schema && !usage
        ? {
            what: `The user ${user} may not use schema ${schemaName}`,
            consequence: 'its tables can be neither read nor written.',
            mend: sql(`GRANT USAGE ON SCHEMA ${quoteIdentifier(schemaName)} TO ${quoteIdentifier(user)};`),
          }
        : undefined,
  },
];

function timeoutRule(code: string, name: string, enoughMs: number, consequence: string): Rule<PostgresFacts> {
  return {
    code,
    severity: 'warning',
    about: `\`${name}\` is ${Number.isFinite(enoughMs) ? 'short' : 'set'} for this user, database or server.`,
    find: (facts) => {
      const ms = Number(settingOf(facts, name) ?? 0);
      if (ms === 0 || ms >= enoughMs) return undefined;
      return { what: `${name} is ${ms} ms`, consequence, mend: settingMend(facts, name, '0') };
    },
  };
}

function settingOf({ settings }: PostgresFacts, name: string): string | undefined {
  return settings.get(name)?.setting;
}

/** Where the value comes from decides who must change it. */
function settingMend({ settings, user, database }: PostgresFacts, name: string, value: string): Mend {
  const [role, base] = [quoteIdentifier(user), quoteIdentifier(database)];
  switch (settings.get(name)?.source) {
    case 'user':
      return sql(`ALTER ROLE ${role} SET ${name} = ${value};`);
    case 'database':
      return sql(`ALTER DATABASE ${base} SET ${name} = ${value};`);
    case 'database user':
      return sql(`ALTER ROLE ${role} IN DATABASE ${base} SET ${name} = ${value};`);
    case 'client':
    case 'environment variable':
      return environment(`PGOPTIONS='-c ${name}=${value}'`);
    case 'command line':
      return shell(`postgres -c ${name}=${value}`);
    default:
      return sql(`ALTER SYSTEM SET ${name} = ${value}; SELECT pg_reload_conf();`);
  }
}

interface Limit {
  readonly name: string;
  readonly limit: number;
  readonly used: number;
  mend(limit: number): Mend;
}

/** Limits of roles and databases do not hold for superusers. */
function limitsOf(facts: PostgresFacts): Limit[] {
  const { user, database, superuser } = facts;
  const server: Limit = {
    name: 'max_connections',
    limit: facts.max_connections,
    used: facts.used,
    mend: (limit) => sql(`ALTER SYSTEM SET max_connections = ${limit}; -- and start Postgres again`),
  };
  const role: Limit = {
    name: `The user ${user}`,
    limit: facts.role_limit,
    used: facts.role_used,
    mend: (limit) => sql(`ALTER ROLE ${quoteIdentifier(user)} CONNECTION LIMIT ${limit};`),
  };
  const base: Limit = {
    name: `The database ${database}`,
    limit: facts.database_limit,
    used: facts.database_used,
    mend: (limit) => sql(`ALTER DATABASE ${quoteIdentifier(database)} CONNECTION LIMIT ${limit};`),
  };
  return [server, ...(superuser ? [] : [role, base].filter(({ limit }) => limit >= 0))];
}
