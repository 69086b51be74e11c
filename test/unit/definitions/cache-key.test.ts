import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  allOf,
  type CacheKey,
  cacheKey,
  cacheKeys,
  partsOf,
  ttlOf,
} from '../../../src/definitions/cache-key.js';
import { DEFAULT_TTL } from '../../../src/definitions/default-ttl.js';

const keys = cacheKeys('letter', {
  text: cacheKey<string>(60),
  copy: cacheKey<string, readonly [id: string, reader: string]>(30),
  newest: cacheKey<readonly string[], readonly []>(10),
});

const forbidden = [...':*?[]{}\\ \n\t\u0000\u200b'];

describe('keys', () => {
  it('K are texts whose parts stand at their places', () => {
    expect(keys.text('7')).toBe('letter:text:7');
    expect(keys.text('7').split(':')[2]).toBe('7');
    expect(keys.copy('7', 'ada')).toBe('letter:copy:7:ada');
    expect(keys.newest()).toBe('letter:newest:all');
    expectTypeOf(keys.text('7')).toEqualTypeOf<CacheKey<string>>();
  });

  it('K know their time to live', () => {
    expect([keys.text('7'), keys.copy('7', '8'), keys.newest()].map(ttlOf)).toEqual([60, 30, 10]);
    expect(['letter:unknown:7', 'letter:text', 'letter', '', ':'].map(ttlOf)).toEqual(
      Array(5).fill(undefined),
    );
  });

  it('K are parsed back into their parts, whatever the ids', () => {
    const id = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 50 })
      .filter((text) => /^[^\s:*?[\]{}\\\p{C}]+$/u.test(text));
    fc.assert(
      fc.property(id, id, (first, second) => {
        expect(partsOf(keys.text(first))).toEqual({ namespace: 'letter', what: 'text', ids: [first] });
        expect(partsOf(keys.copy(first, second)).ids).toEqual([first, second]);
      }),
    );
  });

  it.each(['', ...forbidden, ...forbidden.map((one) => `a${one}b`), 'x'.repeat(257)])(
    'K take no id that breaks out of its place or turns into a pattern: %j',
    (id) => {
      expect(() => keys.text(id)).toThrow(expect.objectContaining({ code: 'INVALID_ID' }));
      expect(() => keys.copy('a', id)).toThrow(expect.objectContaining({ code: 'INVALID_ID' }));
      expect(() => allOf('letter', id)).toThrow(expect.objectContaining({ code: 'INVALID_ID' }));
    },
  );

  it.each(['letter:text', 'letter:text:', 'letter:other:7', 'nothing:text:7', 'text'])(
    '%s is none',
    (text) => {
      expect(() => partsOf(text)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }));
    },
  );

  it('are refused when their definition can’t be right', () => {
    const define = () => cacheKeys('letter', { 'a:b': cacheKey(0) });
    expect(define).toThrow(expect.objectContaining({ code: 'INVALID_DEFINITION' }));
    expect(define).toThrow(/"a:b"[\s\S]*defined twice[\s\S]*more than 0 s/);
  });
});

it('S6 the usual times to live are in seconds', () => {
  expect(DEFAULT_TTL).toEqual({
    SHORT: 60,
    MEDIUM: 300,
    STANDARD: 900,
    LONG: 3_600,
    VERY_LONG: 86_400,
    WEEK: 604_800,
  });
});
