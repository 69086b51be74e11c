/** Ids as keys: one text for each id, and back. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { modelIdCodec, stringIdCodec } from '../../../src/definitions/id.js';
import type { FieldType } from '../../../src/definitions/model.js';
import { describe as describeValue } from '../../../src/given.js';
import { field, modelOf, refusal } from './models.js';

const scalarCodec = (type: FieldType) => modelIdCodec('things', modelOf({ id: field(type) }));

const compositeCodec = modelIdCodec(
  'things',
  modelOf(
    { a: field('String'), b: field('Int'), c: field('BigInt'), d: field('Enum') },
    { id: ['a', 'b', 'c', 'd'] },
  ),
);

/** Texts that are likely to be mistaken for each other once they are escaped and joined. */
const tricky = fc.string({ unit: fc.constantFrom(',', '%', '2', 'C', '5', 'a'), minLength: 1, maxLength: 6 });
const anyText = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 40 })
  .filter((text) => !text.includes('\0'));
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const bigInt = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const composite = fc.record({ a: fc.oneof(tricky, anyText), b: int, c: bigInt, d: tricky });

describe('an id key', () => {
  test.each([
    ['String', fc.oneof(tricky, anyText)],
    ['Enum', tricky],
    ['Int', int],
    ['BigInt', bigInt],
  ] as const)('of type %s gives its id back', (type, ids) => {
    const codec = scalarCodec(type);
    fc.assert(
      fc.property(ids as fc.Arbitrary<unknown>, (id) => {
        expect(codec.fromKey(codec.toKey(id))).toBe(id);
      }),
    );
  });

  it('of several parts gives its id back', () => {
    fc.assert(
      fc.property(composite, (id) => {
        expect(compositeCodec.fromKey(compositeCodec.toKey(id))).toEqual(id);
      }),
    );
  });

  it('belongs to one id only, also with commas and percent signs in its parts', () => {
    const pair = modelIdCodec(
      'pairs',
      modelOf({ a: field('String'), b: field('String') }, { id: ['a', 'b'] }),
    );
    const ids = fc.record({ a: tricky, b: tricky });
    fc.assert(
      fc.property(ids, ids, (one, other) => {
        const isSame = one.a === other.a && one.b === other.b;
        expect(pair.toKey(one) === pair.toKey(other)).toBe(isSame);
      }),
      { numRuns: 1_000 },
    );
  });

  it('has its parts in the order of @@id, whatever the order in the object', () => {
    expect(compositeCodec.toKey({ d: 'LEAD', c: 3n, b: 2, a: 'x,y' })).toBe('x%2Cy,2,3,LEAD');
  });

  it('of a string store is the string itself', () => {
    const codec = stringIdCodec('notes', 'slug');
    expect(codec.toKey('a,b%2C')).toBe('a,b%2C');
    expect(codec.fromKey('a,b%2C')).toBe('a,b%2C');
    expect(codec.ofRow({ slug: 'x', id: 'y' })).toBe('x');
  });
});

test('the id of a row is made of its id fields', () => {
  expect(scalarCodec('Int').ofRow({ id: 7, name: 'x' })).toBe(7);
  expect(compositeCodec.ofRow({ name: 'x', a: 'a', b: 1, c: 2n, d: 'D' })).toEqual({
    a: 'a',
    b: 1,
    c: 2n,
    d: 'D',
  });
});

describe('an id is refused', () => {
  test.each<[string, FieldType, unknown, string]>([
    ['a String is empty', 'String', '', 'id must be a non-empty string, not an empty string'],
    ['a String is a number', 'String', 5, 'not number 5'],
    ['a String is null', 'String', null, 'not null'],
    ['a String is undefined', 'String', undefined, 'not undefined'],
    ['a String is an array', 'String', ['a'], 'not an array'],
    ['a String has U+0000', 'String', 'a\0b', 'U+0000'],
    ['a String is too long', 'String', 'x'.repeat(513), '513 characters, and 512 are allowed'],
    ['an Enum is a number', 'Enum', 1, 'id must be a non-empty string'],
    ['an Int is a text', 'Int', '5', 'id must be an integer of 32 bits, not string 5'],
    ['an Int has a fraction', 'Int', 1.5, 'not number 1.5'],
    ['an Int is NaN', 'Int', Number.NaN, 'not number NaN'],
    ['an Int is not exact', 'Int', 2 ** 53, 'id must be an integer'],
    ['a BigInt is a text', 'BigInt', '5', 'id must be an integer'],
    ['a BigInt is null', 'BigInt', null, 'not null'],
    ['its type is not supported', 'DateTime', new Date(), 'ids of type DateTime are not supported'],
  ])('when %s', (_, type, id, text) => {
    expect(() => scalarCodec(type).toKey(id)).toThrow(refusal('INVALID_ID', 'things', text));
  });

  test.each([
    ['it is missing', undefined, 'its a'],
    ['it is null', null, 'its a'],
    ['it is a scalar', 'a', 'its a'],
    ['a part is missing', { a: 'a', b: 1, d: 'D' }, 'its c must be an integer of 64 bits, not undefined'],
    ['a part is empty', { a: '', b: 1, c: 2n, d: 'D' }, 'its a must be a non-empty string'],
    ['a part has another type', { a: 'a', b: '1', c: 2n, d: 'D' }, 'its b must be an integer'],
    ['a part has U+0000', { a: 'a', b: 1, c: 2n, d: '\0' }, 'U+0000'],
    ['escapes make it too long', { a: ','.repeat(200), b: 1, c: 2n, d: 'D' }, '512 are allowed'],
  ])('with several parts when %s', (_, id, text) => {
    expect(() => compositeCodec.toKey(id)).toThrow(refusal('INVALID_ID', 'things', text));
  });

  it('when a row of a string store lacks it', () => {
    const codec = stringIdCodec('notes', 'slug');
    expect(() => codec.toKey(codec.ofRow({}))).toThrow(refusal('INVALID_ID', 'notes', 'its slug'));
  });

  // A delete of such an id could not be cast to its column, and would hold its lane's batch for good.
  test.each<[FieldType, number | bigint]>([
    ['Int', 2 ** 31],
    ['Int', -(2 ** 31) - 1],
    ['BigInt', 2n ** 63n],
    ['BigInt', -(2n ** 63n) - 1n],
  ])('when a column of type %s cannot hold %s', (type, id) => {
    expect(() => scalarCodec(type).toKey(id)).toThrow(refusal('INVALID_ID', 'things'));
  });

  // In UTF-8 every such half becomes U+FFFD: two ids would be one key.
  it('when it has half a surrogate pair', () => {
    expect(() => scalarCodec('String').toKey('a\ud800')).toThrow(refusal('INVALID_ID', 'things'));
  });
});

test.each<[string, unknown]>([
  ['an empty string', ''],
  ['null', null],
  ['an array', [1]],
  ['a Map', new Map()],
  ['a null-prototype object', Object.create(null)],
  ['function', () => 'secret'],
  [`string ${'x'.repeat(53)}…`, 'x'.repeat(100)],
])('messages call a value "%s": its kind and, where short, itself', (text, value) => {
  expect(describeValue(value)).toBe(text);
});
