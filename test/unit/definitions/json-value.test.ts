/** JSON as the content of a Json field, and as the row of a store without a model. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { jsonRowCodec, modelRowCodec } from '../../../src/definitions/row-codec.js';
import { field, modelOf, refusal } from './models.js';
import { json, text } from './postgres-values.js';

type Row = Record<string, unknown>;

describe('a Json field', () => {
  const codec = modelRowCodec<Row, Row>(modelOf({ data: field('Json') }), [], {
    store: 'things',
    valueBytesMax: 100_000,
  });
  const cyclic: Row = {};
  cyclic.self = cyclic;

  test.each<[string, unknown, string]>([
    ['a function', { f: () => 1 }, 'at f, function is not JSON'],
    ['a symbol', [Symbol('s')], 'at [0], symbol Symbol(s) is not JSON'],
    ['a bigint', { a: { b: 1n } }, 'at a.b, bigint 1 is not JSON'],
    ['an object that refers to itself', cyclic, 'refers to itself'],
    ['a Date', { at: new Date() }, 'at at, a Date would not come back as one'],
    ['a Map', new Map(), 'a Map would not come back as one'],
    ['bytes', { b: new Uint8Array(1) }, 'at b, a Uint8Array'],
    ['NaN', { list: [1, Number.NaN] }, 'at list[1], NaN is not a JSON number'],
    ['Infinity', Infinity, 'Infinity is not a JSON number'],
    ['undefined in an array', [1, undefined], 'at [1], undefined is not JSON'],
    ['a hole in an array', new Array(1), 'at [0], undefined is not JSON'],
  ])('refuses %s', (_, data, text) => {
    expect(() => codec.encode({ data })).toThrow(refusal('INVALID_VALUE', 'field data is not JSON', text));
  });

  it('leaves out keys that are undefined, and keeps one that is called __proto__', () => {
    const data = JSON.parse('{"a":{"__proto__":[1]}}') as Row;
    const back = codec.decode(codec.encode({ data: { ...data, gone: undefined } }));
    expect(JSON.stringify(back)).toBe('{"data":{"a":{"__proto__":[1]}}}');
  });

  it('takes objects without a prototype', () => {
    const data = Object.assign(Object.create(null), { a: 1 }) as Row;
    expect(codec.decode(codec.encode({ data }))).toEqual({ data: { a: 1 } });
  });
});

describe('a row of a store without a model', () => {
  const codec = jsonRowCodec<Row>({ store: 'notes', valueBytesMax: 100_000 });

  it('comes back as it was', () => {
    const rows = fc.dictionary(text, json, { maxKeys: 4, noNullPrototype: true });
    fc.assert(
      fc.property(rows, (row) => {
        expect(codec.decode(codec.encode(row))).toEqual(row);
      }),
    );
  });

  test.each<[string, unknown, string]>([
    ['an array', [1], 'a row must be an object, not an array'],
    ['null', null, 'not null'],
    ['a Map', new Map(), 'a Map would not come back as one'],
    ['an object with a Date', { at: new Date() }, 'at at, a Date'],
  ])('is refused when it is %s', (_, row, text) => {
    expect(() => codec.encode(row as Row)).toThrow(refusal('INVALID_VALUE', 'notes', text));
  });

  it('is refused when it is too large', () => {
    expect(() => codec.encode({ s: 'x'.repeat(100_000) })).toThrow(refusal('VALUE_TOO_LARGE', 'notes'));
  });
});
