/** Rows as JSON and back, for every type that Prisma has. */
import { deepStrictEqual } from 'node:assert/strict';
import { Decimal } from '@prisma/client/runtime/client';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Field, FieldType } from '../../../src/definitions/model.js';
import { modelRowCodec, type RowCodec } from '../../../src/definitions/row-codec.js';
import { field, modelOf, nullable, refusal, withDefault } from './models.js';
import { json, text } from './postgres-values.js';

type Row = Record<string, unknown>;

const options = { store: 'things', valueBytesMax: 1_048_576 };
const colors = { enumValues: { RED: "red 'n' hot", GREEN: 'GREEN' } };
const sizes = { enumValues: { S: 'S', L: 'L' } };

function codecOf(fields: Record<string, Field>, without: readonly string[] = []): RowCodec<Row, Row> {
  return modelRowCodec(modelOf(fields), without, options);
}

const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.integer({ min: 0, max: 30 }))
  .map(([digits, scale]) => new Decimal(`${digits}e-${scale}`));
const date = fc.date({ min: new Date('0001-01-01Z'), max: new Date('9999-12-31Z'), noInvalidDate: true });

/** Values of each type as Prisma's client gives them. A negative zero is no JSON: it comes back as zero. */
const values: Record<FieldType, fc.Arbitrary<unknown>> = {
  String: text,
  Boolean: fc.boolean(),
  Int: fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }),
  BigInt: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  Float: fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => value + 0),
  Decimal: decimal,
  DateTime: date,
  Json: json.filter((value) => value !== null),
  Bytes: fc.uint8Array({ maxLength: 20 }).map((bytes) => new Uint8Array(bytes)),
  Enum: fc.constantFrom('RED', 'GREEN'),
};

const plain = { noNullPrototype: true } as const;
const types = Object.keys(values) as FieldType[];
const factsOf = (type: FieldType): Partial<Field> => (type === 'Enum' ? colors : {});

describe('a row that is written comes back as it was', () => {
  it.each(types)('with a field of type %s, one that may be null, and a list', (type) => {
    const facts = factsOf(type);
    const codec = codecOf({
      one: field(type, facts),
      maybe: field(type, { ...facts, ...nullable }),
      many: field(type, { ...facts, isList: true }),
    });
    const many = fc.array(values[type], { maxLength: 5 });
    const rows = fc.record({ one: values[type], maybe: fc.option(values[type]), many }, plain);
    fc.assert(
      fc.property(rows, (row) => {
        // expect takes a field "constructor" for the value's class.
        deepStrictEqual(codec.decode(codec.encode(row)), row);
      }),
    );
  });

  it('with fields of all types at once', () => {
    const codec = codecOf(Object.fromEntries(types.map((type) => [type, field(type, factsOf(type))])));
    fc.assert(
      fc.property(fc.record(values, plain), (row) => {
        deepStrictEqual(codec.decode(codec.encode(row)), row);
      }),
    );
  });

  it('with an enum whose names are its values', () => {
    const codec = codecOf({ size: field('Enum', sizes), list: field('Enum', { ...sizes, isList: true }) });
    const row = { size: 'L', list: ['S', 'L', 'S'] };
    expect(codec.decode(codec.encode(row))).toEqual(row);
  });
});

describe("a row's JSON is what Postgres reads", () => {
  const jsonOf = (type: FieldType, value: unknown): unknown =>
    (JSON.parse(codecOf({ it: field(type, factsOf(type)) }).encode({ it: value })) as { it: unknown }).it;

  test.each<[FieldType, unknown, unknown]>([
    ['BigInt', 2n ** 63n - 1n, '9223372036854775807'],
    ['BigInt', 5, '5'],
    ['Decimal', new Decimal('12345678901234567890.12'), '12345678901234567890.12'],
    ['Decimal', '1e-7', '0.0000001'],
    ['Decimal', 1.5, '1.5'],
    ['DateTime', new Date('2026-01-02T03:04:05.678Z'), '2026-01-02T03:04:05.678Z'],
    ['Bytes', new Uint8Array([0, 255]), '\\x00ff'],
    ['Bytes', Buffer.from('hi'), '\\x6869'],
    ['Enum', 'RED', "red 'n' hot"],
    ['Int', -(2 ** 31), -(2 ** 31)],
    // JSON has no number for these; Postgres reads the texts.
    ['Float', Number.NaN, 'NaN'],
    ['Float', -Infinity, '-Infinity'],
    ['Decimal', new Decimal(Number.NaN), 'NaN'],
    // A text of JSON, for Postgres would take the JSON null for NULL.
    ['Json', null, 'null'],
    ['Json', 'null', '"null"'],
    ['Json', 1e21, '1e+21'],
  ])('for %s %o', (type, value, json) => {
    expect(jsonOf(type, value)).toEqual(json);
  });

  it('has every field of the model, and no counters', () => {
    const codec = codecOf({ id: field('String'), note: field('String', nullable), views: field('Int') }, [
      'views',
    ]);
    expect(JSON.parse(codec.encode({ id: 'a' }))).toEqual({ id: 'a', note: null });
  });
});

describe('a field that is left out', () => {
  it('takes its default', () => {
    const codec = codecOf({
      note: field('String', nullable),
      title: field('String', withDefault('untitled')),
      color: field('Enum', { ...colors, ...withDefault('RED') }),
      big: field('BigInt', withDefault(9007199254740993n)),
      price: field('Decimal', withDefault('12.50')),
      since: field('DateTime', withDefault(new Date('2020-01-01Z'))),
      tags: field('String', { isList: true, ...withDefault([]) }),
      data: field('Json', withDefault({ a: [1] })),
    });
    const row = codec.decode(codec.encode({ title: undefined }));
    expect(row).toStrictEqual({
      note: null,
      title: 'untitled',
      color: 'RED',
      big: 9007199254740993n,
      price: new Decimal('12.5'),
      since: new Date('2020-01-01Z'),
      tags: [],
      data: { a: [1] },
    });
  });

  it('is now where the default is now', () => {
    const codec = codecOf({ at: field('DateTime', { default: { kind: 'now' } }) });
    const before = Date.now();
    const { at } = codec.decode(codec.encode({})) as { at: Date };
    expect(at.getTime()).toBeGreaterThanOrEqual(before);
    expect(at.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it('is refused where there is no default', () => {
    expect(() => codecOf({ title: field('String') }).encode({})).toThrow(
      refusal('INVALID_VALUE', 'things', 'field title is missing'),
    );
  });
});

describe('a row is refused', () => {
  test.each([
    ['null', null, 'null'],
    ['an array', [], 'an array'],
    ['a text', 'x', 'string x'],
  ])('when it is %s', (_, row, what) => {
    const codec = codecOf({ id: field('String', nullable) });
    const text = `a row must be an object, not ${what}`;
    expect(() => codec.encode(row as unknown as Row)).toThrow(refusal('INVALID_VALUE', 'things', text));
  });

  it('when it has a field that the model does not have, or that is a counter', () => {
    const codec = codecOf({ id: field('String'), views: field('Int') }, ['views']);
    expect(() => codec.encode({ id: 'a', nam: 'x' })).toThrow(
      refusal('INVALID_VALUE', 'no field "nam"; its fields are id'),
    );
    expect(() => codec.encode({ id: 'a', views: 1 })).toThrow(refusal('INVALID_VALUE', 'no field "views"'));
  });

  it('when a required field is null', () => {
    const codec = codecOf({ title: field('String', withDefault('x')) });
    expect(() => codec.encode({ title: null })).toThrow(
      refusal('INVALID_VALUE', 'field title must not be null'),
    );
  });

  it('when a list is none, or has a wrong item', () => {
    const codec = codecOf({ tags: field('String', { isList: true }) });
    expect(() => codec.encode({ tags: 'a' })).toThrow(refusal('INVALID_VALUE', 'tags must be an array'));
    expect(() => codec.encode({ tags: ['a', 5] })).toThrow(
      refusal('INVALID_VALUE', 'field tags[1] must be a string, not number 5'),
    );
    expect(() => codec.encode({ tags: ['a', null] })).toThrow(refusal('INVALID_VALUE', 'tags[1]'));
  });

  const wrong: [FieldType, unknown[], string][] = [
    ['String', [5, true, {}, new Date()], 'a string'],
    ['Boolean', ['true', 1, 0], 'a boolean'],
    ['Int', ['5', 1.5, Number.NaN, 5n, 2 ** 31, -(2 ** 31) - 1], 'an integer of 32 bits'],
    [
      'BigInt',
      ['5', 1.5, 2 ** 53, Number.NaN, 2n ** 63n, -(2n ** 63n) - 1n],
      'a bigint of 64 bits or a safe integer',
    ],
    ['Float', ['1.5', 1n], 'a number'],
    ['Decimal', ['', 'abc', 'Infinity', true, 5n, {}], 'a finite Decimal'],
    ['DateTime', ['2026-01-01', 0, new Date(Number.NaN)], 'a valid Date'],
    ['Bytes', ['hi', [1, 2], new ArrayBuffer(2)], 'a Uint8Array'],
    ['Enum', ['BLUE', "red 'n' hot", 'red', 1, ''], 'one of RED, GREEN'],
  ];
  const wrongValues = wrong.flatMap(([type, list, text]) =>
    list.map((value) => [type, value, text] as const),
  );

  test.each(wrongValues)('when a field of type %s is %o', (type, value, text) => {
    const codec = codecOf({ it: field(type, factsOf(type)) });
    expect(() => codec.encode({ it: value })).toThrow(refusal('INVALID_VALUE', 'field it must be', text));
  });

  it('when an enum is a name that every object has', () => {
    const codec = codecOf({ color: field('Enum', colors) });
    expect(() => codec.encode({ color: 'constructor' })).toThrow(
      refusal('INVALID_VALUE', 'one of RED, GREEN'),
    );
  });
});

// Postgres refuses these for their content; a batch that holds one would not get through.
describe('a row is refused when Postgres could not store it', () => {
  test.each<[string, FieldType, unknown]>([
    ['a text with U+0000', 'String', 'a\0b'],
    ['a text with half a surrogate pair', 'String', 'a\ud800'],
    ['JSON with U+0000 in a text', 'Json', { a: ['\0'] }],
    ['JSON with half a surrogate pair in a key', 'Json', { '\udc00': 1 }],
    ['a date before the year 1', 'DateTime', new Date('0000-06-01T00:00:00Z')],
    ['a date after the year 9999', 'DateTime', new Date('+010000-01-01T00:00:00Z')],
    ['a Decimal of too many digits', 'Decimal', '1e131072'],
  ])('with %s', (_, type, value) => {
    expect(() => codecOf({ it: field(type) }).encode({ it: value })).toThrow(
      refusal('INVALID_VALUE', 'field it'),
    );
  });

  it('without writing out a Decimal that would take long', () => {
    expect(() => codecOf({ it: field('Decimal') }).encode({ it: '1e100000000' })).toThrow(
      refusal('INVALID_VALUE', 'field it'),
    );
  });
});

describe('a row that is too large', () => {
  const limited = modelRowCodec<Row, Row>(modelOf({ s: field('String') }), [], {
    store: 'things',
    valueBytesMax: 20,
  });
  const overhead = '{"s":""}'.length;

  it('is refused with its size and the limit', () => {
    const isRefused = refusal('VALUE_TOO_LARGE', 'things', '21 bytes', '20 are allowed', 'valueBytesMax');
    expect(() => limited.encode({ s: 'x'.repeat(21 - overhead) })).toThrow(isRefused);
    expect(limited.encode({ s: 'x'.repeat(20 - overhead) })).toHaveLength(20);
  });

  it('counts in bytes, not in characters', () => {
    expect(() => limited.encode({ s: '€'.repeat(5) })).toThrow(refusal('VALUE_TOO_LARGE', '23 bytes'));
    expect(limited.encode({ s: '€'.repeat(4) })).toHaveLength(overhead + 4);
  });
});
