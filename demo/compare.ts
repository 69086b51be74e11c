/** Compares what the database holds with the right answer: every row, every column. */
import { isDeepStrictEqual } from 'node:util';
import type { ExpectedTables } from './oracle.js';

export interface Difference {
  readonly table: string;
  readonly id: string;
  /** Absent when the whole row is missing, or is there and should not be. */
  readonly column?: string;
  readonly expected: unknown;
  readonly found: unknown;
}

export interface TableComparison {
  readonly table: string;
  /** Rows that one of the two sides has: equal + different + missing + extra. */
  compared: number;
  equal: number;
  different: number;
  missing: number;
  extra: number;
  /** The first few. */
  readonly differences: Difference[];
}

export interface IdentifiedRow {
  readonly id: string;
}

/** A table in pages by id: rows after the given id, or from the beginning. An empty page is the end. */
export type ReadPage = (after: string | undefined, rowsMax: number) => Promise<readonly IdentifiedRow[]>;
export type TableReaders = { readonly [Table in keyof ExpectedTables]: ReadPage };

const pageRowsMax = 2_000;
const differencesMax = 5;

export async function compareTables(
  expected: ExpectedTables,
  readers: TableReaders,
  signal: AbortSignal,
): Promise<TableComparison[]> {
  const comparisons: TableComparison[] = [];
  for (const table of ['users', 'projects', 'tasks'] as const) {
    comparisons.push(await compareRows(table, expected[table], readRows(readers[table], signal)));
  }
  return comparisons;
}

async function* readRows(readPage: ReadPage, signal: AbortSignal): AsyncGenerator<IdentifiedRow> {
  let page = await readPage(undefined, pageRowsMax);
  while (page.length > 0) {
    signal.throwIfAborted();
    yield* page;
    page = await readPage(page.at(-1)?.id, pageRowsMax);
  }
}

/** @param found each row once */
export async function compareRows(
  table: string,
  expected: ReadonlyMap<string, IdentifiedRow>,
  found: AsyncIterable<IdentifiedRow> | Iterable<IdentifiedRow>,
): Promise<TableComparison> {
  const result: TableComparison = {
    table,
    compared: 0,
    equal: 0,
    different: 0,
    missing: 0,
    extra: 0,
    differences: [],
  };
  const seen = new Set<string>();
  for await (const row of found) {
    seen.add(row.id);
    compareRow(result, expected.get(row.id), row);
  }
  for (const [id, row] of expected) {
    if (!seen.has(id)) note(result, 'missing', [{ table, id, expected: row, found: undefined }]);
  }
  return result;
}

function compareRow(
  result: TableComparison,
  expected: IdentifiedRow | undefined,
  found: IdentifiedRow,
): void {
  const { table } = result;
  const { id } = found;
  if (expected === undefined) {
    note(result, 'extra', [{ table, id, expected: undefined, found }]);
    return;
  }
  const differences = differentColumns(expected, found).map((column) => ({
    table,
    id,
    column,
    expected: Reflect.get(expected, column),
    found: Reflect.get(found, column),
  }));
  note(result, differences.length === 0 ? 'equal' : 'different', differences);
}

/** Also columns that only one of the two has. */
function differentColumns(expected: object, found: object): string[] {
  const columns = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...columns].filter(
    (column) => !isDeepStrictEqual(Reflect.get(expected, column), Reflect.get(found, column)),
  );
}

function note(
  result: TableComparison,
  outcome: 'equal' | 'different' | 'missing' | 'extra',
  differences: readonly Difference[],
): void {
  result.compared += 1;
  result[outcome] += 1;
  result.differences.push(...differences.slice(0, Math.max(0, differencesMax - result.differences.length)));
}
