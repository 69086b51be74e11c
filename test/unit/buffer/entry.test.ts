/** What stands in an entry, and how long. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { loadedEntry, parseCounterEntry, parseEntry } from '../../../src/buffer/entry.js';
import { entryTtlMs } from '../../../src/definitions/entry-ttl.js';

describe('a record entry', () => {
  it('that was loaded gives its row back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const json = JSON.stringify(value);
        expect(parseEntry(loadedEntry(json))).toEqual({ kind: 'row', version: '', release: '', json });
      }),
    );
  });

  it('has the version of its row, where that has one', () => {
    expect(parseEntry(loadedEntry('{}', 17n))).toEqual({
      kind: 'row',
      version: '17',
      release: '',
      json: '{}',
    });
  });

  it('of a row that was not found says that it is absent', () => {
    expect(parseEntry(loadedEntry(undefined))).toEqual({ kind: 'absent', version: '' });
  });

  test.each([
    ['P17|{"a":"|"}', { kind: 'row', version: '17', release: '', json: '{"a":"|"}' }],
    ['R18|aB3-_x{}', { kind: 'row', version: '18', release: 'aB3-_x', json: '{}' }],
    ['D1700000000000002|', { kind: 'absent', version: '1700000000000002' }],
    ['?5f2c', { kind: 'none', lease: '5f2c' }],
    ['?5f2c;w', { kind: 'none', lease: '5f2c' }],
    ['42', { kind: 'none' }],
    [null, { kind: 'none' }],
    ['', { kind: 'none' }],
  ])('%j is %j', (content, entry) => {
    expect(parseEntry(content)).toEqual(entry);
  });
});

test.each([
  ['0', { kind: 'value', value: 0n }],
  ['-7', { kind: 'value', value: -7n }],
  ['9223372036854775807', { kind: 'value', value: 9223372036854775807n }],
  ['?5f2c', { kind: 'none', lease: '5f2c' }],
  ['?5f2c;w', { kind: 'none', lease: '5f2c' }],
  [null, { kind: 'none' }],
])('%j as an entry of a counter is what it says', (content, entry) => {
  expect(parseCounterEntry(content)).toEqual(entry);
});

describe('the life of an entry', () => {
  const ttl = fc.integer({ min: 1, max: 31_536_000_000 });
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  it('is the ttl, up to a tenth shorter by chance, and at least 1 ms', () => {
    fc.assert(
      fc.property(ttl, chance, (ttlMs, random) => {
        const life = entryTtlMs(ttlMs, false, () => random);
        expect(Number.isInteger(life)).toBe(true);
        expect(life).toBeLessThanOrEqual(ttlMs);
        expect(life).toBeGreaterThanOrEqual(Math.max(1, Math.floor(ttlMs * 0.9)));
      }),
    );
  });

  it('is a minute at most for a row that is absent', () => {
    expect(entryTtlMs(3_600_000, true, () => 0)).toBe(60_000);
    expect(entryTtlMs(5_000, true, () => 0)).toBe(5_000);
    expect(entryTtlMs(1, true, () => 0.999)).toBe(1);
  });

  it('differs by itself', () => {
    const lives = new Set(Array.from({ length: 50 }, () => entryTtlMs(3_600_000, false)));
    expect(lives.size).toBeGreaterThan(40);
  });
});
