/**
 * Rows of chance, of every type of column, in three time zones: they come back as plain Prisma gives them. A hundred for a zone by
 * default; FOREBAY_RANDOM_ROWS says how many.
 */
import { PrismaPg } from '@prisma/adapter-pg';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { type ColumnType, columnTypes } from '../support/column-types.js';
import { type Row, RowMatrix, type RowsOfType } from '../support/row-matrix.js';

const rowsWanted = Number(process.env.FOREBAY_RANDOM_ROWS ?? 100);
const zones = ['UTC', 'America/New_York', 'Asia/Kathmandu'];
/** Of each type in one run: they are written and flushed together. */
const rowsOfRun = Math.min(40, Math.ceil(rowsWanted / columnTypes.length));
const runs = Math.ceil(rowsWanted / columnTypes.length / rowsOfRun);
const limitMs = 60_000 + rowsWanted * 300;

const absent = { nil: undefined, freq: 8 };

function rowOf({ any, values, hasNoList }: ColumnType): fc.Arbitrary<Row> {
  const value = fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...values) },
    { weight: 4, arbitrary: any ?? fc.constantFrom(...values) },
  );
  return fc
    .record({
      value: fc.option(value, absent),
      // Left out, plain Prisma writes NULL where forebay writes an empty list; both read as an empty one.
      list: hasNoList ? fc.constant(undefined) : fc.array(value, { maxLength: 3 }),
      note: fc.option(
        fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
        absent,
      ),
    })
    .map((row) => Object.fromEntries(Object.entries(row).filter(([, given]) => given !== undefined)));
}

/** For each type. */
const rowsOfTypes: fc.Arbitrary<Row[][]> = fc.tuple(
  ...columnTypes.map((type) => fc.array(rowOf(type), { minLength: rowsOfRun, maxLength: rowsOfRun })),
);
const withTypes = (given: readonly Row[][]): RowsOfType[] =>
  given.map((rows, i) => ({ type: columnTypes[i] as ColumnType, rows }));

let matrix: RowMatrix;

beforeAll(async () => {
  matrix = await RowMatrix.open();
}, limitMs);

afterAll(() => matrix?.close());

describe.each(zones)('in a session whose time zone is %s', (zone) => {
  it(
    'rows of chance come back as plain Prisma gives them: pending, loaded, and after writes of another column',
    async () => {
      const { prefix: schema } = matrix.environment.config;
      const config = { connectionString: inject('databaseUrl'), options: `-c TimeZone=${zone}`, max: 4 };
      const session = await matrix.session(new PrismaPg(config, { schema }));
      const property = fc.asyncProperty(rowsOfTypes, (given) => matrix.compare(session, withTypes(given)));
      await fc.assert(property, { numRuns: runs, endOnFailure: true });
      await session.close();
    },
    limitMs,
  );
});
