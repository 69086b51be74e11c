/** A sealed batch sorted into deletes, puts and deltas. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Project } from '../../../examples/platform/generated/models.js';
import { type Batch, parseBatch, type RowBatch } from '../../../src/buffer/batch.js';
import { counter } from '../../../src/definitions/counter.js';
import { record } from '../../../src/definitions/record.js';
import { defineStores, type LaneGroup } from '../../../src/definitions/stores.js';

const projects = record({ model: Project, counters: ['views', 'touches'] });
const stores = defineStores({
  projects,
  views: counter({ of: projects, field: 'views' }),
  touches: counter({ of: projects, field: 'touches' }),
});
const group = stores.groups[0] as LaneGroup;

const parse = (sealed: Record<string, string>) =>
  parseBatch('projects/3', group, '17', Object.entries(sealed).flat());

const projectsOf = ({ rows }: Batch): RowBatch => rows.get('projects') as RowBatch;

it('sorts records by their kind: a replacement is a delete and a put', () => {
  const batch = projectsOf(
    parse({
      'projects:p': 'P12|{"id":"p"}',
      'projects:d': 'D13|',
      'projects:r': 'R14|{"id":"r"}',
    }),
  );
  expect(batch.deletes).toEqual(['d', 'r']);
  expect(batch.puts).toMatchObject([
    { idKey: 'p', json: '{"id":"p"}' },
    { idKey: 'r', json: '{"id":"r"}' },
  ]);
});

it('has the versions of its records', () => {
  const sealed = { 'projects:p': 'P12|{"id":"p"}', 'projects:d': 'D13|', 'projects:r': 'R14|{}' };
  const { versions } = projectsOf(parse(sealed));
  expect(versions).toEqual(
    new Map([
      ['p', '12'],
      ['d', '13'],
      ['r', '14'],
    ]),
  );
});

it('keeps bars and colons in ids and rows', () => {
  const batch = projectsOf(parse({ 'projects:a:b|c': 'P1|{"id":"a:b|c"}' }));
  expect(batch.puts).toMatchObject([{ idKey: 'a:b|c', json: '{"id":"a:b|c"}' }]);
});

it('gives each counter store its deltas, without those that are zero', () => {
  const batch = parse({ 'views:b': '-2', 'views:a': '9223372036854775807', 'touches:a': '0' });
  expect([...batch.deltas]).toEqual([
    [
      'views',
      [
        { idKey: 'a', delta: '9223372036854775807' },
        { idKey: 'b', delta: '-2' },
      ],
    ],
    ['touches', []],
  ]);
});

it('has the name of its lane, its number, and how many records and counters it holds', () => {
  const batch = parse({ 'projects:a': 'P1|{}', 'views:a': '0', 'views:b': '1' });
  expect(batch).toMatchObject({ lane: 'projects/3', number: '17', size: 3 });
});

it('of nothing is empty', () => {
  const batch = parse({});
  expect(batch.size).toBe(0);
  expect(projectsOf(batch)).toMatchObject({ deletes: [], puts: [] });
});

it('is sorted by id key, whatever the order in the hash', () => {
  const kinds = fc.constantFrom('P1|{}', 'D1|', 'R1|{}');
  const records = fc.dictionary(fc.string({ minLength: 1 }), kinds);
  const deltas = fc.dictionary(fc.string({ minLength: 1 }), fc.integer().map(String));
  fc.assert(
    fc.property(records, deltas, (recordKinds, views) => {
      const batch = parse({ ...prefixed('projects', recordKinds), ...prefixed('views', views) });
      const { deletes, puts } = projectsOf(batch);
      const lists = [deletes, keysOf(puts), keysOf(batch.deltas.get('views') ?? [])];
      for (const list of lists) {
        expect(list.every((idKey, i) => i === 0 || (list[i - 1] as string) < idKey)).toBe(true);
      }
    }),
  );
});

function prefixed(store: string, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([idKey, value]) => [`${store}:${idKey}`, value]));
}

function keysOf(list: readonly { idKey: string }[]): string[] {
  return list.map(({ idKey }) => idKey);
}
