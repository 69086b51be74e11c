/** What is wrong with forebay's own table, and with the migrations that make it. */
import { type Found, type Rule, shell, sql } from '../../connection/finding.js';
import { quoteIdentifier } from '../../connection/identifier.js';
import type { TableFacts } from '../../database/inspect.js';
import { ledgerTable, type PostgresFacts } from './postgres-facts.js';

const deploy = shell('npx prisma migrate deploy');
/** Nothing is ever deleted from it. */
const ledgerPrivileges = ['SELECT', 'INSERT', 'UPDATE'];

interface LedgerColumn {
  readonly type: string;
  readonly rest: string;
}

/** As the migrations make them. */
const ledgerColumns: Readonly<Record<string, LedgerColumn>> = {
  lane: { type: 'text', rest: 'NOT NULL' },
  batch: { type: 'bigint', rest: 'NOT NULL' },
  is_void: { type: 'boolean', rest: 'NOT NULL DEFAULT false' },
  generation: { type: 'text', rest: '' },
  persisted: { type: 'bigint', rest: '' },
  applied_at: { type: 'timestamp(3) with time zone', rest: 'NOT NULL DEFAULT CURRENT_TIMESTAMP' },
};

export const ledgerRules: readonly Rule<PostgresFacts>[] = [
  {
    code: 'POSTGRES_NO_LEDGER',
    severity: 'error',
    about: "forebay's table is not there.",
    find: ({ ledger, schema, usage, schemaName }) =>
      ledger === undefined && schema && usage
        ? {
            what: `There is no table ${ledgerTable} in schema ${schemaName}`,
            consequence: 'workers do not start.',
            mend: deploy,
          }
        : undefined,
  },
  {
    code: 'POSTGRES_LEDGER_COLUMNS',
    severity: 'error',
    about: "forebay's table has other columns than it needs.",
    find: ({ ledger }) => (ledger === undefined ? undefined : columnsFound(ledger)),
  },
  {
    code: 'POSTGRES_LEDGER_KEY',
    severity: 'error',
    about: "forebay's table has no primary key.",
    find: ({ ledger }) =>
      ledger === undefined || ledger.keys.some((key) => key.join() === 'lane')
        ? undefined
        : {
            what: `${nameOf(ledger)} has no primary key`,
            consequence: 'no batch can be applied.',
            mend: sql(`ALTER TABLE ${nameOf(ledger)} ADD PRIMARY KEY (lane);`),
          },
  },
  {
    code: 'POSTGRES_LEDGER_RIGHTS',
    severity: 'error',
    about: "The user may not read or write forebay's table.",
    find: ({ ledger, user }) => {
      const lacks = ledger?.lacks.filter((right) => ledgerPrivileges.includes(right)) ?? [];
      if (ledger === undefined || lacks.length === 0) return undefined;
      return {
        what: `The user ${user} lacks ${lacks.join(', ')} on ${nameOf(ledger)}`,
        consequence: 'no batch can be applied.',
        mend: sql(`GRANT ${lacks.join(', ')} ON ${nameOf(ledger)} TO ${quoteIdentifier(user)};`),
      };
    },
  },
  {
    code: 'POSTGRES_MIGRATION_FAILED',
    severity: 'error',
    about: 'A migration began, and did not end.',
    find: ({ migrations = [] }) =>
      migrations
        .filter(({ finished }) => !finished)
        .map(({ name }) => ({
          what: `The migration ${name} failed, or is not finished`,
          consequence: 'what it would make may be missing, and no later one is applied.',
          mend: shell(`npx prisma migrate resolve --rolled-back ${name}`),
        })),
  },
  {
    code: 'POSTGRES_MIGRATIONS_WAITING',
    severity: 'error',
    about: 'Migrations of `prisma/migrations` are not applied.',
    find: ({ migrations, migrationFolders }) => {
      const waiting = migrationFolders.filter((folder) => !migrations?.some(({ name }) => name === folder));
      if (migrations === undefined || waiting.length === 0) return undefined;
      return {
        what: `Not applied: ${waiting.join(', ')}`,
        consequence: "workers of this release may not start, or write what the tables can't take.",
        mend: deploy,
      };
    },
  },
];

/** Missing, of other types, or unknown and required. */
function columnsFound(ledger: TableFacts): Found[] {
  const changes: [what: string, change: string][] = [];
  for (const [name, { type, rest }] of Object.entries(ledgerColumns)) {
    const column = ledger.columns.get(name);
    if (column === undefined)
      changes.push([`has no column ${name}`, `ADD COLUMN ${name} ${type} ${rest}`.trim()]);
    else if (!isAsWide(column.type, type))
      changes.push([`has column ${name} as ${column.type}`, `ALTER COLUMN ${name} TYPE ${type}`]);
  }
  for (const { name, required } of ledger.columns.values()) {
    if (required && ledgerColumns[name] === undefined)
      changes.push([
        `needs a value for column ${name}`,
        `ALTER COLUMN ${quoteIdentifier(name)} DROP NOT NULL`,
      ]);
  }
  if (changes.length === 0) return [];
  return [
    {
      what: `${nameOf(ledger)} ${changes.map(([what]) => what).join(', ')}`,
      consequence:
        'workers do not start, or no batch can be applied. Where a migration is waiting, deploy that instead.',
      mend: sql(`ALTER TABLE ${nameOf(ledger)} ${changes.map(([, change]) => change).join(', ')};`),
    },
  ];
}

/** Any precision of the time will do. */
function isAsWide(has: string, wanted: string): boolean {
  return has === wanted || (/^timestamp/.test(has) && /^timestamp/.test(wanted));
}

function nameOf({ schema, table }: TableFacts): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}
