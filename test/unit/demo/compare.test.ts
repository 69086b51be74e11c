/** What a comparison finds. */
import { expect, test } from 'vitest';
import { compareRows, compareTables, type ReadPage } from '../../../demo/compare.js';
import { Oracle } from '../../../demo/oracle.js';
import { WriteMaker } from '../../../demo/writes.js';

const at = new Date(1_000);
const later = new Date(2_000);

function tableOf<Row extends { id: string }>(...rows: Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}

test('equal rows are equal in any order, dates and bigints by value', async () => {
  const expected = tableOf({ id: 'a', at, views: 1n }, { id: 'b', at: later, views: 2n });
  const found = [
    { id: 'b', at: new Date(2_000), views: 2n },
    { id: 'a', at: new Date(1_000), views: 1n },
  ];
  expect(await compareRows('t', expected, found)).toEqual({
    table: 't',
    compared: 2,
    equal: 2,
    different: 0,
    missing: 0,
    extra: 0,
    differences: [],
  });
});

test('a row with a wrong column is different, and each wrong column is told', async () => {
  const expected = tableOf({ id: 'a', at, touches: 3, name: 'x' });
  const found = [{ id: 'a', at: later, touches: 2, name: 'x' }];
  expect(await compareRows('t', expected, found)).toEqual({
    table: 't',
    compared: 1,
    equal: 0,
    different: 1,
    missing: 0,
    extra: 0,
    differences: [
      { table: 't', id: 'a', column: 'at', expected: at, found: later },
      { table: 't', id: 'a', column: 'touches', expected: 3, found: 2 },
    ],
  });
});

test('values of another type are different: 1 and 1n, null and a missing column', async () => {
  const expected = tableOf<{ id: string }>(
    { id: 'a', views: 1n } as { id: string },
    { id: 'b', dueAt: null } as { id: string },
  );
  const found = [{ id: 'a', views: 1 }, { id: 'b' }];
  expect(await compareRows('t', expected, found)).toMatchObject({ equal: 0, different: 2 });
});

test('a column that nobody expects is a difference', async () => {
  const found = [{ id: 'a', color: 'red' }];
  const { differences } = await compareRows('t', tableOf({ id: 'a' }), found);
  expect(differences).toEqual([{ table: 't', id: 'a', column: 'color', expected: undefined, found: 'red' }]);
});

test('rows on one side only are missing or extra', async () => {
  const result = await compareRows('t', tableOf({ id: 'a' }, { id: 'b' }), [{ id: 'b' }, { id: 'c' }]);
  expect(result).toEqual({
    table: 't',
    compared: 3,
    equal: 1,
    different: 0,
    missing: 1,
    extra: 1,
    differences: [
      { table: 't', id: 'c', expected: undefined, found: { id: 'c' } },
      { table: 't', id: 'a', expected: { id: 'a' }, found: undefined },
    ],
  });
});

test('all rows are counted, and the first five differences kept', async () => {
  const found = Array.from({ length: 100 }, (_, at) => ({ id: `x${at}` }));
  const result = await compareRows('t', new Map(), found);
  expect(result).toMatchObject({ compared: 100, extra: 100 });
  expect(result.differences.map(({ id }) => id)).toEqual(['x0', 'x1', 'x2', 'x3', 'x4']);
});

test('tables are read page by page, each page after the last id of the one before', async () => {
  const oracle = new Oracle();
  const maker = new WriteMaker();
  for (let at = 0; at < 5; at += 1) {
    for (const write of maker.writesOf({ commit: 'c', at, author: `u${at}`, files: [] })) oracle.apply(write);
  }
  const asked: (string | undefined)[] = [];
  const users: ReadPage = async (after) => {
    asked.push(after);
    return [...oracle.users.values()].filter(({ id }) => after === undefined || id > after).slice(0, 2);
  };
  const none: ReadPage = async () => [];
  const tables = await compareTables(
    oracle,
    { users, projects: none, tasks: none },
    new AbortController().signal,
  );
  expect(asked).toEqual([undefined, 'u1', 'u3', 'u4']);
  expect(tables.map(({ table, compared, equal }) => [table, compared, equal])).toEqual([
    ['users', 5, 5],
    ['projects', 0, 0],
    ['tasks', 0, 0],
  ]);
});
