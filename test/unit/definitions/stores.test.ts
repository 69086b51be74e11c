/** `defineStores`: what it refuses, which stores share lanes, and the defaults. */
import { describe, expect, it, test } from 'vitest';
import { counter } from '../../../src/definitions/counter.js';
import { record } from '../../../src/definitions/record.js';
import { type CounterStore, type Definitions, defineStores } from '../../../src/definitions/stores.js';
import type { ForebayError } from '../../../src/errors.js';
import { field, modelOf, nullable, refusal, withDefault } from './models.js';

interface PageRow {
  id: string;
  views: bigint;
  likes: number;
}

const Page = modelOf<PageRow, PageRow, string>(
  {
    id: field('String'),
    views: field('BigInt', withDefault(5n)),
    likes: field('Int', withDefault(0)),
  },
  { name: 'Page' },
);

/** A model whose integer fields are no counters, each for another reason. */
const Odd = modelOf<Record<string, number>, Record<string, number>, string>(
  {
    id: field('String'),
    float: field('Float', withDefault(0)),
    maybe: field('Int', nullable),
    many: field('Int', { isList: true, ...withDefault([]) }),
    bare: field('Int'),
    filled: field('Int', { default: { kind: 'value', value: 0 } }),
  },
  { name: 'Odd' },
);

const custom = { load: async () => [], persist: async () => undefined };
const customCounter = { load: async () => new Map<string, bigint>(), persist: async () => undefined };
const notes = () => record<{ slug: string }, 'slug'>({ id: 'slug', ...custom });

function problemsOf(definitions: Definitions): string[] {
  try {
    defineStores(definitions);
    return [];
  } catch (error) {
    expect(error).toEqual(refusal('INVALID_DEFINITION'));
    return (error as ForebayError).message.split('\n- ').slice(1);
  }
}

describe("a store's name", () => {
  test.each(['a', 'Tasks', 'team-members_2', 'x'.repeat(64)])('can be "%s"', (name) => {
    expect(problemsOf({ [name]: notes() })).toEqual([]);
  });

  test.each(['', '2d', '_a', 'a:b', 'a/b', 'a b', 'a{b}', 'ä', 'x'.repeat(65)])('can not be "%s"', (name) => {
    expect(problemsOf({ [name]: notes() })).toEqual([
      expect.stringContaining(`"${name}" can't be a store's name`),
    ]);
  });

  test.each(['dirty', 'order', 'sealed', 'meta'])('can not be "%s", which a lane needs itself', (name) => {
    expect(problemsOf({ [name]: notes() })).toEqual([expect.stringContaining('forebay needs itself')]);
  });
});

describe('options', () => {
  const bounds: [string, number, number][] = [
    ['ttlMs', 1, 31_536_000_000],
    ['partitions', 1, 1_024],
    ['delayMs', 0, 60_000],
    ['minDelayMs', 0, 60_000],
    ['batchRecordsMax', 1, 5_000],
    ['dirtyMax', 1, 10_000_000],
    ['valueBytesMax', 1, 16_777_216],
  ];

  test.each(bounds)('have bounds: %s from %d to %d', (option, min, max) => {
    const problems = (value: unknown): string[] =>
      problemsOf({ notes: record<{ slug: string }, 'slug'>({ id: 'slug', ...custom, [option]: value }) });
    for (const value of [min, max, undefined]) expect(problems(value)).toEqual([]);
    for (const value of [min - 1, max + 1, min + 0.5, Number.NaN, '5', null]) {
      expect(problems(value)).toEqual([
        `notes: ${option} must be an integer from ${min} to ${max}, not ${value === '5' ? '"5"' : value}.`,
      ]);
    }
  });

  it('cacheOnWrite is true or false', () => {
    const problems = (value: unknown): string[] =>
      problemsOf({
        notes: record<{ slug: string }, 'slug'>({
          id: 'slug',
          ...custom,
          ...({ cacheOnWrite: value } as object),
        }),
      });
    for (const value of [true, false, undefined]) expect(problems(value)).toEqual([]);
    expect(problems(1)).toEqual(['notes: cacheOnWrite must be one of false, true, not 1.']);
  });

  it('that do not exist are refused by name', () => {
    const definition = record<{ slug: string }, 'slug'>({ id: 'slug', ...custom, ...{ ttl: 5 } });
    expect(problemsOf({ notes: definition })).toEqual(['notes: there is no option "ttl".']);
  });

  it('have defaults', () => {
    const { byName, groups } = defineStores({ notes: notes() });
    expect(byName.get('notes')).toMatchObject({ kind: 'record', ttlMs: 900_000, cacheOnWrite: false });
    expect(groups).toMatchObject([
      {
        name: 'notes',
        partitions: 4,
        delayMs: 100,
        minDelayMs: 0,
        batchRecordsMax: 1_000,
        dirtyMax: 100_000,
      },
    ]);
  });

  it('of valueBytesMax limits the rows, by default to 1 MiB', () => {
    const rowsOf = (definition: Definitions[string]) => {
      const store = defineStores({ notes: definition }).byName.get('notes');
      if (store?.kind !== 'record') throw new Error('no record store');
      return store.rows;
    };
    const overhead = '{"s":""}'.length;
    const row = (bytes: number): object => ({ s: 'x'.repeat(bytes - overhead) });
    const small = rowsOf(record<{ s: string }, 's'>({ id: 's', ...custom, valueBytesMax: 100 }));
    expect(() => small.encode(row(101))).toThrow(refusal('VALUE_TOO_LARGE'));
    expect(rowsOf(notes()).encode(row(1_048_576))).toHaveLength(1_048_576);
    expect(() => rowsOf(notes()).encode(row(1_048_577))).toThrow(refusal('VALUE_TOO_LARGE'));
  });
});

describe('a counter is refused', () => {
  const cases: [string, string, string][] = [
    ['is no integer', 'float', 'takes a required Int or BigInt field of Odd'],
    ['may be null', 'maybe', 'takes a required Int or BigInt field of Odd'],
    ['is a list', 'many', 'takes a required Int or BigInt field of Odd'],
    ['does not exist', 'nothing', '"nothing" can\'t be a counter'],
    ['has no default', 'bare', 'counter "bare" of Odd needs a default'],
    ['has its default only in Prisma', 'filled', 'counter "filled" of Odd needs a default'],
  ];

  test.each(cases)('when its field %s, alone or on a record', (_, name, text) => {
    expect(problemsOf({ odd: record({ model: Odd, counters: [name] }) })).toEqual([
      expect.stringContaining(
        `odd: ${text.startsWith('takes') ? `"${name}" can't be a counter; that ${text}` : text}`,
      ),
    ]);
    expect(problemsOf({ lone: counter({ model: Odd, field: name }) })).toEqual([
      expect.stringContaining(text),
    ]);
  });

  it('when its record store is not among the stores', () => {
    const pages = record({ model: Page, counters: ['views'] });
    const views = counter({ of: pages, field: 'views' });
    expect(problemsOf({ views })).toEqual([
      'views: the record store that it counts for is not among the stores.',
    ]);
  });

  it('when its record store has no model', () => {
    const of = notes();
    const views = counter({ of, field: 'views' as never });
    expect(problemsOf({ notes: of, views })).toEqual([
      'views: only record stores of a model can have counters.',
    ]);
  });

  it('when its record store does not leave the field to it', () => {
    const pages = record({ model: Page, counters: ['views'] });
    const likes = counter({ of: pages, field: 'likes' as 'views' });
    expect(problemsOf({ pages, likes })).toEqual([
      expect.stringContaining('likes: "likes" is not among its record store\'s counters'),
    ]);
  });

  it('when another counts the same field of the record store', () => {
    const pages = record({ model: Page, counters: ['views'] });
    const views = () => counter({ of: pages, field: 'views' });
    expect(problemsOf({ pages, b: views(), a: views() })).toEqual(['b: store "a" counts the same field.']);
  });

  // From two lanes: neither store's cached values would know of the other's deltas.
  it('when another lone counter counts the same field of the model', () => {
    const likes = () => counter({ model: Page, field: 'likes' });
    expect(problemsOf({ a: likes(), b: likes() })).toHaveLength(1);
  });
});

describe('a model has one record store', () => {
  const pages = record({ model: Page });
  const likes = counter({ model: Page, field: 'likes' });
  const shared = (name: string, owner: string): unknown =>
    expect.stringContaining(`${name}: store "${owner}" keeps model Page already`);

  test.each<[string, Definitions, unknown]>([
    ['a second record store', { a: pages, b: record({ model: Page }) }, shared('b', 'a')],
    ['a lone counter beside it', { a: pages, b: likes }, shared('b', 'a')],
    ['a lone counter before it', { a: likes, b: pages }, shared('b', 'a')],
  ])('and is refused with %s', (_, definitions, problem) => {
    expect(problemsOf(definitions)).toEqual([problem]);
  });

  it('or any number of lone counters of different fields', () => {
    expect(problemsOf({ a: likes, b: counter({ model: Page, field: 'views' }) })).toEqual([]);
  });
});

it('tells all problems at once', () => {
  const problems = problemsOf({
    meta: notes(),
    '2d': record<{ slug: string }, 'slug'>({ id: 'slug', ...custom, partitions: 0, delayMs: -1 }),
    odd: record({ model: Odd, counters: ['float', 'bare'] }),
    likes: counter({ of: record({ model: Page, counters: ['likes'] }), field: 'likes' }),
  });
  expect(problems).toHaveLength(7);
});

describe('lanes', () => {
  const pages = record({
    model: Page,
    counters: ['views', 'likes'],
    partitions: 3,
    delayMs: 7,
    ttlMs: 1_000,
  });
  const stores = defineStores({
    likes: counter({ of: pages, field: 'likes', ttlMs: 2_000 }),
    pages,
    hits: counter({ ...customCounter, partitions: 2, batchRecordsMax: 9 }),
    views: counter({ of: pages, field: 'views' }),
    odd: record({ model: Odd }),
  });
  const [pageGroup, oddGroup, hitGroup] = stores.groups;

  it('are shared by a record store and its counters', () => {
    expect(pageGroup).toMatchObject({ name: 'pages', partitions: 3, delayMs: 7 });
    expect(pageGroup?.records.map(({ name }) => name)).toEqual(['pages']);
    expect(pageGroup?.counters.map(({ name }) => name)).toEqual(['likes', 'views']);
    for (const name of ['pages', 'likes', 'views']) expect(stores.byName.get(name)?.group).toBe(pageGroup);
  });

  it('are their own for a record without counters, and for a lone counter', () => {
    expect(stores.groups.map(({ name }) => name)).toEqual(['pages', 'odd', 'hits']);
    expect(oddGroup).toMatchObject({ records: [stores.byName.get('odd')], counters: [] });
    expect(hitGroup).toMatchObject({
      partitions: 2,
      batchRecordsMax: 9,
      counters: [stores.byName.get('hits')],
    });
    expect(hitGroup?.records).toEqual([]);
  });

  it('are the same for a record and its counters: both have one id key', () => {
    const [page, likes] = [stores.byName.get('pages'), stores.byName.get('likes') as CounterStore];
    expect(likes.ids).toBe(page?.ids);
    expect(likes.record).toBe(page);
  });

  it('leave each store its own life in the cache', () => {
    const ttls = ['pages', 'likes', 'views', 'hits'].map((name) => stores.byName.get(name)?.ttlMs);
    expect(ttls).toEqual([1_000, 2_000, 900_000, 900_000]);
  });

  it('keep every store under its name', () => {
    expect([...stores.byName.keys()].sort()).toEqual(['hits', 'likes', 'odd', 'pages', 'views']);
    for (const [name, store] of stores.byName) expect(store.name).toBe(name);
  });
});

test('a counter starts from its default, and has the type of its field', () => {
  const pages = record({ model: Page, counters: ['views'] });
  const stores = defineStores({
    pages,
    views: counter({ of: pages, field: 'views' }),
    hits: counter(customCounter),
  });
  expect(stores.byName.get('views')).toMatchObject({ initial: 5n, isBigInt: true });
  expect(stores.byName.get('hits')).toMatchObject({ initial: 0n, isBigInt: true });
  const lone = defineStores({ likes: counter({ model: Page, field: 'likes' }) });
  expect(lone.byName.get('likes')).toMatchObject({ initial: 0n, isBigInt: false });
});

test("a record store's rows are without its counters", () => {
  const stores = defineStores({ pages: record({ model: Page, counters: ['views'] }) });
  const store = stores.byName.get('pages');
  if (store?.kind !== 'record') throw new Error('no record store');
  expect(store.rows.encode({ id: 'a' })).toBe('{"id":"a","likes":0}');
  expect(() => store.rows.encode({ id: 'a', views: 1n })).toThrow(refusal('INVALID_VALUE', 'views'));
});

describe('a version', () => {
  it('is a required BigInt field of the model, left out of rows and inputs', () => {
    const store = defineStores({ pages: record({ model: Page, version: 'views' }) }).byName.get('pages');
    if (store?.kind !== 'record') throw new Error('no record store');
    expect(store.version).toBe('views');
    expect(JSON.parse(store.rows.encode({ id: 'p', likes: 1 }))).toEqual({ id: 'p', likes: 1 });
    expect(() => store.rows.encode({ id: 'p', views: 1n })).toThrow(refusal('INVALID_VALUE', 'views'));
  });

  const Versioned = modelOf<Record<string, bigint>>({
    id: field('BigInt'),
    int: field('Int'),
    maybe: field('BigInt', nullable),
    many: field('BigInt', { isList: true }),
    count: field('BigInt', withDefault(0n)),
  });

  test.each(['int', 'maybe', 'many', 'id', 'nothing'])('can not be "%s"', (version) => {
    expect(problemsOf({ things: record({ model: Versioned, version }) })).toEqual([
      `things: "${version}" can't be its version; that takes a required BigInt field of Thing, other than the id.`,
    ]);
  });

  it('can not be a counter too', () => {
    const things = record({ model: Versioned, version: 'count', counters: ['count'] });
    expect(problemsOf({ things })).toEqual([`things: "count" can't be both its version and a counter.`]);
  });
});

test('renamed fields are fields of the model, and their old names are not', () => {
  const pages = record({ model: Page, renamed: { nothing: 'before', likes: 'views' } });
  expect(problemsOf({ pages })).toEqual([
    'pages: "nothing" can\'t be a renamed field; Page has none of that name.',
    'pages: "views" can\'t be renamed to "likes"; Page still has it.',
  ]);
});
