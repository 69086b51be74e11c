/** Parts of a row as texts: members of JSON, forms of columns, made ids, marks. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { joinMembers, membersOf } from '../../../src/definitions/json-members.js';
import { makeId } from '../../../src/definitions/makers.js';
import type { Field, Maker } from '../../../src/definitions/model.js';
import { encodeFloat } from '../../../src/definitions/number-forms.js';
import { markOf, parseMark, splitRelease } from '../../../src/definitions/release.js';
import { modelRowCodec } from '../../../src/definitions/row-codec.js';
import { decodeTime } from '../../../src/definitions/time-forms.js';
import { xmlForm } from '../../../src/definitions/xml-form.js';
import { field, modelOf, nullable } from './models.js';
import { json } from './postgres-values.js';

it.each([
  [3_774_829.25, 3_774_829.2],
  [-291_127.625, -291_127.62],
  [0.1, 0.1],
  [1 / 3, 0.333_333_34],
  [16_777_217, 16_777_216],
  [2 ** -149, 1e-45],
  [2 ** 90, 1.237_940_04e27],
])('a number of 32 bits, %d, is written as short as Postgres writes it', (value, written) => {
  expect(encodeFloat(value, { name: 'Real', args: [] })).toBe(written);
});

describe('the members of an object', () => {
  const objects = fc.dictionary(
    fc.string({ unit: 'binary' }).filter((name) => name !== '__proto__'),
    json,
  );

  it('are the texts of their values, and make the object again', () => {
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 1, 3), (object, indent) => {
        const members = membersOf(JSON.stringify(object, undefined, indent));
        expect([...members.keys()]).toEqual(Object.keys(object));
        for (const [name, text] of members) expect(JSON.parse(text)).toEqual(object[name]);
        expect(JSON.parse(joinMembers(members))).toEqual(object);
      }),
    );
  });

  it('are kept to the byte', () => {
    const text = '{"n" : 12345678901234567890, "d":{ "a": 1.00 }\n,"s":"\\u00e9\\"}" }';
    expect([...membersOf(text)]).toEqual([
      ['n', '12345678901234567890'],
      ['d', '{ "a": 1.00 }'],
      ['s', '"\\u00e9\\"}"'],
    ]);
  });
});

describe('a mark in front of a row', () => {
  const fields = ['name', 'createdAt', 'code'];

  test.each([
    ['abc', '', '{"a":";{"}'],
    ['abc', ';!createdAt,~code', '{}'],
    ['', ';+name', '{}'],
  ])('is told from its release %s: %s', (release, mark, text) => {
    expect(splitRelease(release + mark + text)).toEqual({ release, mark, json: text });
  });

  it('of a put has what it leaves to a row that is there, and to the database', () => {
    expect(markOf([])).toBe('');
    expect(parseMark(markOf(['createdAt', '~code']), fields)).toEqual({
      replaced: ['name'],
      left: new Set(['code']),
    });
    expect(parseMark('', fields)).toEqual({ replaced: fields, left: new Set() });
  });

  it('of an update has what it changes, and of one that changes nothing, nothing', () => {
    expect(parseMark(';+code,gone', fields)).toEqual({ replaced: ['code'], left: new Set() });
    expect(parseMark(';+', fields)).toEqual({ replaced: [], left: new Set() });
  });
});

describe('an update’s text', () => {
  const codec = modelRowCodec<Record<string, unknown>, Record<string, unknown>>(
    modelOf({
      id: field('String'),
      data: field('Json'),
      note: field('String', nullable),
      at: field('DateTime', { default: { kind: 'now' }, isUpdatedAt: true }),
    } satisfies Record<string, Field>),
    [],
    { store: 'things', valueBytesMax: 1_000 },
  );
  const before = '{"id":"a","data":{"n":12345678901234567890},"note":null,"at":"2024-01-01T00:00:00.123456"}';

  it('has the changed fields in its mark and leaves the others as they were', () => {
    const { mark, json: text } = splitRelease(
      codec.updateText(before, { ...codec.decode(before), note: 'n' }),
    );
    expect(mark).toBe(';+note,at');
    expect(membersOf(text).get('data')).toBe('{"n":12345678901234567890}');
    expect(membersOf(text).get('note')).toBe('"n"');
  });

  it('takes an updatedAt that was given', () => {
    const at = new Date('2030-01-01T00:00:00.000Z');
    const { mark, json: text } = splitRelease(codec.updateText(before, { at }));
    expect(mark).toBe(';+at');
    expect(membersOf(text).get('at')).toBe('"2030-01-01T00:00:00.000Z"');
  });
});

test.each<[Maker, RegExp]>([
  ['uuid4', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
  ['uuid7', /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
  ['cuid', /^c[0-9a-z]{24}$/],
  ['cuid2', /^[a-z][0-9a-z]{23}$/],
  ['nanoid', /^[\w-]{21}$/],
  ['ulid', /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/],
])('a made %s has its form, and no two are the same', (by, form) => {
  const ids = Array.from({ length: 500 }, () => makeId(by));
  for (const id of ids) expect(id).toMatch(form);
  expect(new Set(ids).size).toBe(500);
});

test.each([
  ['<?xml version="1.0" encoding="UTF-8"?>\n<é/>', '<é/>'],
  ['<?xml version="1.0" standalone="yes"?><a/>', undefined],
  ['<!DOCTYPE a><a/>', undefined],
  ['<a><b></a></b>', undefined],
])('XML %s is held as %s', (text, form) => {
  expect(xmlForm(text)).toBe(form);
});

test.each([
  ['2024-02-29T12:00:00.123456', '2024-02-29T12:00:00.123Z'],
  ['2024-02-29T12:00:00+00:00', '2024-02-29T12:00:00.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['10:20:30.5', '1970-01-01T10:20:30.500Z'],
  ['10:20:30+05:30', '1970-01-01T10:20:30.000Z'],
  ['24:00:00', '1970-01-02T00:00:00.000Z'],
])('the time %s is the Date %s', (text, iso) => {
  expect(decodeTime(text).toISOString()).toBe(iso);
});
