/** The tables of the definitions, as they are and as they should be. */
import { type Found, type Rule, shell, sql } from '../../connection/finding.js';
import { quoteIdentifier } from '../../connection/identifier.js';
import type { ModelTable, TableFacts } from '../../database/inspect.js';
import type { Column } from '../../database/table.js';
import type { Field } from '../../definitions/model.js';
import { columnMismatch } from './column-types.js';
import type { PostgresFacts } from './postgres-facts.js';

type Present = ModelTable & { readonly found: TableFacts };

export const tableRules: readonly Rule<PostgresFacts>[] = [
  {
    code: 'POSTGRES_TABLE_MISSING',
    severity: 'error',
    about: "A model's table is not there.",
    find: ({ tables }) =>
      tables
        .filter(({ found }) => found === undefined)
        .map(({ model }) => ({
          what: `There is no table ${model.table}, of model ${model.name}`,
          consequence: 'workers do not start.',
          mend: shell('npx prisma migrate deploy'),
        })),
  },
  ofColumns(
    'POSTGRES_COLUMN_MISSING',
    'error',
    "A model's column is not there.",
    ({ model, found }, field, column) =>
      column === undefined
        ? {
            what: `${nameOf(found)} has no column ${field.column}, of model ${model.name}`,
            consequence: 'workers do not start.',
            mend: shell('npx prisma migrate deploy'),
          }
        : undefined,
  ),
  {
    code: 'POSTGRES_NO_KEY',
    severity: 'error',
    about: "A table has no unique key of the model's id.",
    find: ofTables(({ model, found }) => {
      const wanted = model.id.map((name) => model.fields[name]?.column as string);
      const isWanted = (key: readonly string[]): boolean =>
        key.length === wanted.length && wanted.every((column) => key.includes(column));
      if (found.keys.some(isWanted) || wanted.some((column) => !found.columns.has(column))) return [];
      return [
        {
          what: `${nameOf(found)} has no primary key of ${wanted.join(', ')}`,
          consequence: "its rows can't be found, and workers do not start.",
          mend: sql(
            `ALTER TABLE ${nameOf(found)} ADD PRIMARY KEY (${wanted.map(quoteIdentifier).join(', ')});`,
          ),
        },
      ];
    }),
  },
  {
    code: 'POSTGRES_COLUMN_REQUIRED',
    severity: 'error',
    about: 'A column that the model does not have must be given a value.',
    find: ofTables(({ model, found }) => {
      const known = new Set(Object.values(model.fields).map(({ column }) => column));
      return [...found.columns.values()]
        .filter(({ name, required }) => required && !known.has(name))
        .map(({ name, type }) => ({
          what: `${nameOf(found)} needs a value for column ${name} (${type}), which model ${model.name} does not have`,
          consequence: 'every row is refused.',
          mend: sql(`ALTER TABLE ${nameOf(found)} ALTER COLUMN ${quoteIdentifier(name)} DROP NOT NULL;`),
        }));
    }),
  },
  ofColumns(
    'POSTGRES_COLUMN_NOT_NULL',
    'error',
    'A field may be null, its column may not.',
    ({ model, found }, field, column) =>
      field.isNullable && column?.required
        ? {
            what: `Column ${field.column} of ${nameOf(found)} is NOT NULL, and its field of model ${model.name} may be null`,
            consequence: 'rows with null are refused.',
            mend: alterColumn(found, field, 'DROP NOT NULL'),
          }
        : undefined,
  ),
  ofColumns(
    'POSTGRES_COLUMN_GENERATED',
    'error',
    'The database alone writes a counter or version.',
    ({ found, written }, field, column, name) =>
      column?.generated && written.has(name)
        ? {
            what: `Postgres makes column ${field.column} of ${nameOf(found)} itself`,
            consequence: 'it can be neither a counter nor the version: workers do not start.',
            mend: alterColumn(found, field, 'DROP EXPRESSION'),
          }
        : undefined,
  ),
  ofColumns(
    'POSTGRES_COLUMN_UNWRITTEN',
    'warning',
    'The database alone writes a column that a put gives a value to.',
    (table, field, column, name) =>
      column?.generated && !table.written.has(name) && isGiven(table.model, field, name)
        ? {
            what: `Postgres makes column ${field.column} of ${nameOf(table.found)} itself`,
            consequence:
              'what is put there is never written. Mark its field @default(dbgenerated()), or mend the table.',
            mend: alterColumn(table.found, field, 'DROP EXPRESSION'),
          }
        : undefined,
  ),
  ofColumns(
    'POSTGRES_COLUMN_TYPE',
    'error',
    'A column is of another type than its field.',
    ({ model, found }, field, column) => {
      const wanted = column && columnMismatch(field, column.type);
      if (wanted === undefined) return undefined;
      const name = quoteIdentifier(field.column);
      return {
        what: `Column ${field.column} of ${nameOf(found)} is ${column?.type}, and ${wanted} in model ${model.name}`,
        consequence: 'rows may be refused, or come back as something else.',
        mend: alterColumn(found, field, `TYPE ${wanted} USING ${name}::${wanted}`),
      };
    },
  ),
  ofColumns(
    'POSTGRES_ENUM_VALUES',
    'error',
    "A column's enum lacks values of its field's.",
    ({ model, found }, field, column) => {
      const labels = found.enums[field.column];
      const missing = Object.values(field.enumValues ?? {}).filter((value) => !labels?.includes(value));
      if (column === undefined || labels === undefined || missing.length === 0) return undefined;
      const type = column.type.replace(/\[\]$/, '');
      return {
        what: `The enum ${type} of column ${field.column} of ${nameOf(found)} lacks ${missing.join(', ')}, of model ${model.name}`,
        consequence: 'rows with these values are refused.',
        mend: sql(missing.map((value) => `ALTER TYPE ${type} ADD VALUE ${quoteText(value)};`).join(' ')),
      };
    },
  ),
  {
    code: 'POSTGRES_SEQUENCE_RIGHTS',
    severity: 'error',
    about: "The user may not count by the sequence of a column's default.",
    find: (facts) =>
      ofTables(({ found }) =>
        found.sequences.map((sequence) => ({
          what: `The user ${facts.user} may not use sequence ${sequence}, of ${nameOf(found)}`,
          consequence: 'rows whose number the database gives are refused.',
          mend: sql(`GRANT USAGE ON SEQUENCE ${sequence} TO ${quoteIdentifier(facts.user)};`),
        })),
      )(facts),
  },
  {
    code: 'POSTGRES_TABLE_RIGHTS',
    severity: 'error',
    about: 'The user may not read or write a table.',
    find: (facts) =>
      ofTables(({ found }) =>
        found.lacks.length === 0
          ? []
          : [
              {
                what: `The user ${facts.user} lacks ${found.lacks.join(', ')} on ${nameOf(found)}`,
                consequence: 'its batches fail, and its backlog grows.',
                mend: sql(
                  `GRANT ${found.lacks.join(', ')} ON ${nameOf(found)} TO ${quoteIdentifier(facts.user)};`,
                ),
              },
            ],
      )(facts),
  },
  {
    code: 'POSTGRES_ROW_SECURITY',
    severity: 'warning',
    about: 'Row security holds for the user.',
    find: (facts) =>
      ofTables(({ found }) =>
        found.secured
          ? [
              {
                what: `Row security holds for the user ${facts.user} on ${nameOf(found)}`,
                consequence: 'rows that its policies hide are neither read nor replaced.',
                mend: sql(`ALTER ROLE ${quoteIdentifier(facts.user)} BYPASSRLS;`),
              },
            ]
          : [],
      )(facts),
  },
  {
    code: 'POSTGRES_UNLOGGED',
    severity: 'error',
    about: 'A table is UNLOGGED.',
    find: ({ tables, ledger }) =>
      [ledger, ...tables.map(({ found }) => found)]
        .filter((found): found is TableFacts => found?.unlogged === true)
        .map((found) => ({
          what: `${nameOf(found)} is UNLOGGED`,
          consequence: 'a crash of Postgres empties it, and Redis has forgotten what was in it.',
          mend: sql(`ALTER TABLE ${nameOf(found)} SET LOGGED;`),
        })),
  },
];

function ofTables(find: (table: Present) => Found[]): (facts: PostgresFacts) => Found[] {
  return ({ tables }) =>
    tables.flatMap(({ found, ...table }) => (found === undefined ? [] : find({ ...table, found })));
}

function ofColumns(
  code: string,
  severity: 'error' | 'warning',
  about: string,
  find: (table: Present, field: Field, column: Column | undefined, name: string) => Found | undefined,
): Rule<PostgresFacts> {
  return {
    code,
    severity,
    about,
    find: ofTables((table) =>
      Object.entries(table.model.fields).flatMap(
        ([name, field]) => find(table, field, table.found.columns.get(field.column), name) ?? [],
      ),
    ),
  };
}

/** Whether a put has a value for it that is not left to the database. */
function isGiven({ id }: Present['model'], field: Field, name: string): boolean {
  return !id.includes(name) && field.default.kind !== 'database' && !field.hasDatabaseDefault;
}

function alterColumn(found: TableFacts, field: Field, change: string) {
  return sql(`ALTER TABLE ${nameOf(found)} ALTER COLUMN ${quoteIdentifier(field.column)} ${change};`);
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function nameOf({ schema, table }: TableFacts): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}
