/** The result: its figures, its JSON, and its page. */
import { expect, test } from 'vitest';
import type { TableComparison } from '../../../demo/compare.js';
import { type Run, resultOf, toJson, toPage, wantsColour } from '../../../demo/report.js';

function tableOf(table: string, found: Partial<TableComparison>): TableComparison {
  return { table, compared: 0, equal: 0, different: 0, missing: 0, extra: 0, differences: [], ...found };
}

const run: Run = {
  activity: 'the recorded history a.gz',
  commits: 3_597,
  writesAccepted: 59_434,
  rowsWritten: 10_104,
  batches: 556,
  acceptedMs: 4_840.6,
  drainedMs: 7_870.4,
  backlogMax: 2_224,
  oldestDirtyAgeMsMax: 4_029.4,
  tables: [
    tableOf('users', { compared: 215, equal: 215 }),
    tableOf('tasks', { compared: 1_979, equal: 1_979 }),
  ],
};

const wrong: Run = {
  ...run,
  tables: [
    tableOf('tasks', {
      compared: 4,
      equal: 1,
      different: 1,
      missing: 1,
      extra: 1,
      differences: [
        { table: 'tasks', id: 't1', column: 'updatedAt', expected: new Date(0), found: null },
        { table: 'tasks', id: 't1', column: 'views', expected: 3n, found: 2n },
        { table: 'tasks', id: 't1', column: 'title', expected: 'x', found: undefined },
        { table: 'tasks', id: 't2', expected: { id: 't2' }, found: undefined },
        { table: 'tasks', id: 't3', expected: undefined, found: { id: 't3' } },
      ],
    }),
  ],
};

test('the figures follow from the run', () => {
  expect(resultOf(run)).toEqual({
    activity: 'the recorded history a.gz',
    commits: 3_597,
    isEqual: true,
    rowsCompared: 2_194,
    rowsEqual: 2_194,
    rowsDifferent: 0,
    rowsMissing: 0,
    rowsExtra: 0,
    writesAccepted: 59_434,
    rowsWritten: 10_104,
    batches: 556,
    coalescingRatio: 5.88,
    seconds: 7.87,
    acceptedPerSecond: 12_278,
    persistedPerSecond: 1_284,
    backlogMax: 2_224,
    oldestDirtyAgeMsMax: 4_029,
    tables: run.tables,
  });
});

test('a single row that is missing, extra or different makes the result unequal', () => {
  for (const outcome of ['missing', 'extra', 'different'] as const) {
    const tables = [tableOf('users', { compared: 2, equal: 1, [outcome]: 1 })];
    expect(resultOf({ ...run, tables }).isEqual).toBe(false);
  }
});

test('the page of an equal result says so, with counts and speeds', () => {
  expect(toPage(resultOf(run), false)).toBe(`
            rows compared     equal different   missing     extra
  users               215       215         0         0         0
  tasks             1,979     1,979         0         0         0
  all               2,194     2,194         0         0         0

  ✔ Every row is equal to the history’s own right answer.

  59,434 writes accepted → 10,104 rows written in 556 batches (5.9 writes per row)
  accepted 12,278/s, rows persisted 1,284/s, 7.9 s in all
  greatest backlog 2,224, oldest unwritten 4.0 s
`);
});

test('the page of an unequal result shows row, column, expected and found', () => {
  const page = toPage(resultOf(wrong), false);
  expect(page).toContain(`
  ✘ 3 rows of 4 not as the history says. The first:
    tasks t1 updatedAt: expected 1970-01-01T00:00:00.000Z, found null
    tasks t1 views: expected 3, found 2
    tasks t1 title: expected "x", found nothing
    tasks t2: missing
    tasks t3: should not be there
`);
});

test('the page has colours only when asked', () => {
  expect(toPage(resultOf(run), false)).not.toContain('\x1b[');
  expect(toPage(resultOf(run), true)).toContain('\x1b[32m  ✔');
  expect(toPage(resultOf(wrong), true)).toContain('\x1b[31m  ✘');
});

test('colours are for terminals without NO_COLOR', () => {
  expect(wantsColour({ isTTY: true }, {})).toBe(true);
  expect(wantsColour({ isTTY: true }, { NO_COLOR: '' })).toBe(true);
  expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
  expect(wantsColour({}, {})).toBe(false);
});

test('the JSON holds bigints as strings, dates as ISO, and null for what is absent', () => {
  const parsed: unknown = JSON.parse(toJson(resultOf(wrong)));
  expect(parsed).toMatchObject({
    rowsDifferent: 1,
    tables: [
      {
        table: 'tasks',
        differences: [
          { expected: '1970-01-01T00:00:00.000Z', found: null },
          { expected: '3', found: '2' },
          { expected: 'x', found: null },
          { expected: { id: 't2' }, found: null },
          { expected: null, found: { id: 't3' } },
        ],
      },
    ],
  });
});
