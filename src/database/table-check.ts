/**
 * What of a database's tables keeps their stores from being written: told when a worker starts rather than by
 * dead letters.
 */
import type { Model } from '../definitions/model.js';
import type { ModelSource, Transaction } from '../definitions/record.js';
import type { RecordStore, Stores } from '../definitions/stores.js';
import { ForebayError } from '../errors.js';
import { tableName } from './names.js';
import { readSql } from './sql-file.js';
import { type Column, readColumns } from './table.js';

/** @throws ForebayError INVALID_DEFINITION with every problem found, DATABASE_UNAVAILABLE */
export async function checkTables(stores: Stores, database: Transaction): Promise<void> {
  const problems = await tableProblems(stores, database);
  if (problems.length === 0) return;
  throw new ForebayError(
    'INVALID_DEFINITION',
    `The stores' tables can't be written:\n- ${problems.join('\n- ')}\nMend the Prisma schema and run prisma generate, or mend the tables.`,
    { context: { problems } },
  );
}

/** In words, one for each. Tables that are not there yet have none: they come with a migration. */
export async function tableProblems(stores: Stores, database: Transaction): Promise<string[]> {
  const problems: string[] = [];
  for (const record of stores.groups.flatMap(({ records }) => records)) {
    if (record.source.kind === 'model') problems.push(...(await problemsOf(record, record.source, database)));
  }
  return problems;
}

async function problemsOf(
  store: RecordStore,
  { model, counters }: ModelSource,
  database: Transaction,
): Promise<string[]> {
  const table = tableName(model, database);
  const columns = await readColumns(table, database);
  if (columns.size === 0) return [];
  const keys = await database.$queryRawUnsafe<{ columns: string }[]>(readSql('keys'), table);
  const written = [...counters, ...(store.version === undefined ? [] : [store.version])];
  const found = [
    ...missingColumns(model, columns),
    ...missingKey(
      model,
      keys.map((key) => JSON.parse(key.columns) as string[]),
    ),
    ...unknownColumns(model, columns),
    ...generatedColumns(model, written, columns),
  ];
  return found.map((problem) => `${store.name}: table ${table} of model ${model.name} ${problem}`);
}

function missingColumns({ fields }: Model, columns: ReadonlyMap<string, Column>): string[] {
  return Object.entries(fields).flatMap(([name, { column }]) =>
    columns.has(column) ? [] : [`has no column ${column} (field ${name}).`],
  );
}

function missingKey({ id, fields }: Model, keys: readonly (readonly string[])[]): string[] {
  const wanted = id.map((name) => fields[name]?.column as string);
  const isWanted = (key: readonly string[]): boolean =>
    key.length === wanted.length && wanted.every((column) => key.includes(column));
  return keys.some(isWanted)
    ? []
    : [
        `has no primary key, nor another unique index, of exactly ${wanted.join(', ')}, by which its rows are found.`,
      ];
}

function unknownColumns({ fields }: Model, columns: ReadonlyMap<string, Column>): string[] {
  const known = new Set(Object.values(fields).map(({ column }) => column));
  return [...columns.values()].flatMap(({ name, type, required }) =>
    required && !known.has(name)
      ? [
          `needs a value for column ${name} (${type}), which Prisma can't write. Give it a default, or let it be NULL.`,
        ]
      : [],
  );
}

function generatedColumns(
  { fields }: Model,
  written: readonly string[],
  columns: ReadonlyMap<string, Column>,
): string[] {
  return written.flatMap((field) => {
    const column = fields[field]?.column as string;
    return columns.get(column)?.generated
      ? [`makes column ${column} itself, so it can be neither a counter nor the version.`]
      : [];
  });
}
