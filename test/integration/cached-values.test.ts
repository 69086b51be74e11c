/** What values, keys and counters the cache takes, as classes: tables and properties. */
import { deepStrictEqual } from 'node:assert/strict';
import { DbNull, Decimal, JsonNull } from '@prisma/client/runtime/client';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { allOf, cacheKey, cacheKeys } from '../../src/definitions/cache-key.js';
import { computed } from '../../src/definitions/computed.js';
import type { Serializer } from '../../src/definitions/serializer.js';
import { type Definitions, defineStores } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import { createEnvironment, type Environment } from '../support/environment.js';

/** Texts that begin as digits and as the cache's own marks do. */
const ownSerializer: Serializer = {
  stringify: (value) => `${'z=7'[Math.abs(JSON.stringify(value).length) % 3]}${JSON.stringify(value)}`,
  parse: (text) => JSON.parse(text.slice(1)),
};
/** What many write: it gives undefined for a function, and throws for a bigint and a cycle. */
const plainJson: Serializer = {
  stringify: (value) => JSON.stringify(value),
  parse: (text) => JSON.parse(text),
};

let environment: Environment;
let app: Forebay<Definitions>;
let other: Forebay<Definitions>;
let withOwn: Forebay<Definitions>;
let withJson: Forebay<Definitions>;

beforeAll(async () => {
  environment = await createEnvironment();
  const stores = defineStores({});
  app = await environment.connect(stores);
  other = await environment.connect(stores);
  withOwn = await environment.connect(stores, { cache: { serializer: ownSerializer } });
  withJson = await environment.connect(stores, { cache: { serializer: plainJson } });
});

afterAll(() => environment.close());

let count = 0;
let key: string;
beforeEach(() => {
  key = newKey();
});
const newKey = (): string => `value:${++count}`;

const notCached = (of: string) =>
  environment.events.filter(
    (event): event is ForebayEvent & { type: 'value.not-cached' } =>
      event.type === 'value.not-cached' && event.key === of,
  );

class Point {
  readonly x = 1;
}
const cyclic = (): object => {
  const one: { self?: object } = {};
  one.self = one;
  return one;
};
const deep = (): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < 100_000; i++) value = [value];
  return value;
};
const large = (): string => Array.from({ length: 600_000 }, (_, i) => (i * 7_919) % 99_991).join();

describe('a loaded value that can’t be cached', () => {
  const refused: [string, unknown, () => Forebay<Definitions>][] = [
    ['3 MB', large(), () => app],
    ['a function', { run: () => 1 }, () => app],
    ['a symbol', [Symbol('s')], () => app],
    ['an instance of a class', { at: new Point() }, () => app],
    ['an error', new Error('x'), () => app],
    ['a promise', { later: Promise.resolve(1) }, () => app],
    ['a value that is too deep', deep(), () => app],
    [
      'an object whose getter throws',
      Object.defineProperty({}, 'x', {
        enumerable: true,
        get: () => {
          throw new Error('no');
        },
      }),
      () => app,
    ],
    ['with a serializer of one’s own: a function', () => 1, () => withJson],
    ['with a serializer of one’s own: a bigint', { n: 1n }, () => withJson],
    ['with a serializer of one’s own: a cycle', cyclic(), () => withJson],
  ];

  it.each(refused)('is returned, told once, and not cached: %s', async (_, value, of) => {
    const reader = of();
    let loads = 0;
    const load = async () => {
      loads += 1;
      return value;
    };
    const reads = await Promise.all([reader.read(key, load), reader.read(key, load)]);
    for (const read of reads) expect(read).toBe(value);
    expect(await reader.read(key, load)).toBe(value);
    expect(loads).toBe(2);
    expect(await reader.cache.get(key)).toBeNull();
    expect(notCached(key).map(({ error }) => error)).toEqual([
      expect.objectContaining({ code: expect.stringMatching(/INVALID_VALUE|VALUE_TOO_LARGE/) }),
    ]);
    expect(await environment.redis.exists(`${environment.config.prefix}:${key}`)).toBe(0);
  });

  it.each(refused)('is refused where it is written: %s', async (_, value, of) => {
    const code = expect.stringMatching(/INVALID_VALUE|VALUE_TOO_LARGE/);
    let writes = 0;
    const write = async () => ++writes;
    await expect(of().cache.set(key, value)).rejects.toMatchObject({ code });
    await expect(of().write(key, value, write)).rejects.toMatchObject({ code });
    expect(writes).toBe(0);
  });

  it('fails no other value of its batch', async () => {
    const keys = [newKey(), newKey(), newKey()];
    const values = [1, () => 1, 'three'];
    const load = async (missing: string[]) => new Map(missing.map((one) => [one, values[keys.indexOf(one)]]));
    expect(await app.readMany<unknown>(keys, load)).toEqual(values);
    expect(await app.cache.mget(keys)).toEqual([1, null, 'three']);
  });

  it('takes the place of an older one: that is not served any more', async () => {
    await app.read(key, async () => 'old', { ttlMs: 1, graceMs: 60_000 });
    await expect
      .poll(() => app.read<unknown>(key, async () => new Point(), { ttlMs: 1, graceMs: 60_000 }), {
        interval: 5,
      })
      .toEqual(new Point());
    expect(await app.read(key, async () => 'new', { ttlMs: 60_000 })).toBe('new');
  });

  it('is returned to the readers of all processes, and of computed stores', async () => {
    const Keys = cacheKeys(`point${count}`, { of: cacheKey<Point>(60) });
    const stores = defineStores({
      points: computed({ key: Keys.of, load: async (ids) => new Map(ids.map((id) => [id, new Point()])) }),
    });
    const processes = [await environment.connect(stores), await environment.connect(stores)];
    const reads = processes.flatMap((one) => [
      ...Array.from({ length: 20 }, () => one.read<unknown>(key, async () => new Point())),
      ...Array.from({ length: 20 }, () => one.stores.points.get('1')),
    ]);
    for (const read of await Promise.all(reads)) expect(read).toEqual(new Point());
    expect(await processes[0]?.stores.points.getMany(['1', '2'])).toEqual([new Point(), new Point()]);
  });

  it('is cached and not told of, once it can be', async () => {
    await app.read<unknown>(key, async () => new Point());
    await app.read<unknown>(key, async () => 'plain');
    expect(await other.cache.get(key)).toBe('plain');
    expect(notCached(key)).toHaveLength(1);
  });
});

describe('values come back as they were given', () => {
  const part = (() => {
    const pool = new Uint8Array(1_000).fill(7);
    pool.set([1, 2, 3], 100);
    return pool.subarray(100, 103);
  })();

  it.each<[string, unknown, unknown?]>([
    ['a Decimal', new Decimal('12345678901234567890.123456789')],
    [
      'a Decimal in a row',
      { id: 1, price: new Decimal('0.1'), prices: [new Decimal('1e400'), new Decimal('-1e-400')] },
    ],
    [
      'Decimals that are no numbers',
      [new Decimal(Number.NaN), new Decimal(Number.NEGATIVE_INFINITY), new Decimal('-0')],
    ],
    ['a Date', { at: new Date(1_234) }],
    ['a bigint', { n: -(2n ** 63n) }],
    ['bytes', { data: new Uint8Array([0, 255, 10]), none: new Uint8Array(0) }],
    ['bytes that are a part of a larger buffer, without the rest of it', part, new Uint8Array([1, 2, 3])],
    ['a Buffer, as Prisma’s Bytes', Buffer.from('é'), new Uint8Array([195, 169])],
    ['Prisma’s names for null', [JsonNull, DbNull, null]],
    ['-0', -0],
    ['-0 in a row', { n: -0 }],
    ['half a surrogate in a text', { text: '\ud83d' }],
  ])('%s', async (_, value, expected = value) => {
    await app.cache.set(key, value);
    const found = await other.cache.get(key);
    expect(found).toEqual(expected);
    expect(await app.read<unknown>(newKey(), async () => value)).toBe(value);
    if (value instanceof Uint8Array) expect((found as Uint8Array).buffer.byteLength).toBe(value.byteLength);
  });

  it('Decimals are those of Prisma’s client: one can calculate with them, and null is the very same', async () => {
    await app.cache.set(key, { price: new Decimal('0.1'), json: JsonNull });
    const found = await other.cache.get<{ price: Decimal; json: unknown }>(key);
    expect(Decimal.isDecimal(found?.price) && found.price.plus('0.2').toString()).toBe('0.3');
    expect(found?.json).toBe(JsonNull);
  });

  it('rows of a table with all types are cached as Prisma gives them', async () => {
    const query = `SELECT 1.10::numeric AS price, 9007199254740993::int8 AS id, '\\x00ff'::bytea AS data,
                   '2026-01-02T03:04:05.678Z'::timestamptz AS at, '{"a": null}'::jsonb AS json, ARRAY[1.5, 2.25]::numeric[] AS prices`;
    const load = () => environment.prisma.$queryRawUnsafe<unknown[]>(query);
    const loaded = await app.read(key, load);
    expect(loaded).toEqual([expect.objectContaining({ price: new Decimal('1.1'), id: 2n ** 53n + 1n })]);
    expect(await other.cache.get(key)).toEqual(loaded);
  });

  it('whatever they are, under the default serializer, from memory too', async () => {
    const scalar = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.maxSafeInteger(),
      fc.constant(-0),
      fc.bigInt(),
      // Node's own comparison takes two invalid dates for different ones.
      fc.date({ noInvalidDate: true }),
      fc.uint8Array(),
      fc.boolean(),
      fc.constant(undefined),
      fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((n) => new Decimal(n).div(1_000)),
      fc.constant(JsonNull),
    );
    const names = fc.string({ minLength: 1 }).filter((name) => name !== '__proto__');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        scalar,
        fc.array(tie('value')),
        fc.dictionary(names, tie('value'), { noNullPrototype: true }),
        fc.array(tie('value')).map((list) => new Map(list.entries())),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(value, async (given) => {
        const one = newKey();
        await app.cache.set(one, given);
        // expect takes a field "constructor" for the value's class.
        deepStrictEqual(await app.cache.get(one), given);
        deepStrictEqual(await app.cache.get(one), given);
      }),
      { numRuns: 200, examples: [[{ constructor: new Map() }]] },
    );
  });

  it('whatever they are, under a serializer of one’s own whose texts begin as the cache’s marks do', async () => {
    const given = fc.oneof(
      fc.maxSafeInteger(),
      fc.constantFrom(0, 1, -1),
      fc.jsonValue({ noUnicodeString: false }),
    );
    await fc.assert(
      fc.asyncProperty(given, async (value) => {
        const one = newKey();
        const expected = JSON.stringify(value);
        let loads = 0;
        const load = async () => {
          loads += 1;
          return value as unknown;
        };
        // As JSON: who loaded it has the loader's own value, in which -0 is not 0 yet.
        for (let i = 0; i < 3; i++)
          expect(JSON.stringify((await withOwn.read(one, load)) ?? null)).toBe(expected);
        expect(loads).toBe(1);
      }),
      { numRuns: 200 },
    );
  });

  it('whole numbers are counters, whatever the serializer', async () => {
    await withOwn.cache.set(key, 41);
    expect(await withOwn.cache.increment(key)).toBe(42);
    expect(await withOwn.cache.get(key)).toBe(42);
    expect(await app.cache.get(key)).toBe(42);
  });
});

describe('S3 increment', () => {
  const safeMax = Number.MAX_SAFE_INTEGER;

  it('counts exactly, or counts nothing and says so', async () => {
    const number = fc.oneof(
      fc.maxSafeInteger(),
      fc.integer({ min: 0, max: 5 }).map((n) => safeMax - n),
      fc.integer({ min: 0, max: 5 }).map((n) => n - safeMax),
      fc.integer({ min: -5, max: 5 }),
    );
    await fc.assert(
      fc.asyncProperty(number, fc.array(number, { maxLength: 5 }), async (start, deltas) => {
        const one = newKey();
        await app.cache.set(one, start + 0);
        let expected = BigInt(start);
        for (const delta of deltas) {
          const sum = expected + BigInt(delta);
          const isSafe = sum <= BigInt(safeMax) && sum >= -BigInt(safeMax);
          const counted = app.cache.increment(one, delta);
          if (isSafe) expect(await counted).toBe(Number(sum));
          else await expect(counted).rejects.toMatchObject({ code: 'COUNTER_OVERFLOW' });
          if (isSafe) expected = sum;
          expect(await other.cache.get(one)).toBe(Number(expected));
        }
      }),
      { numRuns: 100 },
    );
  });

  it.each(['9007199254740992', '-9007199254740993', '9223372036854775807'])(
    'adds nothing to %s, which another program has counted to',
    async (digits) => {
      const entryKey = `${environment.config.prefix}:${key}`;
      await environment.redis.set(entryKey, digits);
      await expect(app.cache.decrement(key)).rejects.toMatchObject({ code: 'COUNTER_OVERFLOW' });
      expect(await environment.redis.get(entryKey)).toBe(digits);
    },
  );

  it.each(['', '007', '-0', '1.5', 'Ada', '99999999999999999999x'])('is no counter: %j', async (text) => {
    await environment.redis.set(`${environment.config.prefix}:${key}`, text);
    await expect(app.cache.increment(key)).rejects.toMatchObject({ code: 'NOT_A_COUNTER' });
  });

  const Keys = cacheKeys('visit', { page: cacheKey<number>(120) });

  it.each<[string, () => Promise<[string, Promise<number>]>, number]>([
    ['the default', async () => [key, app.cache.increment(key)], 900],
    ['its key’s own', async () => [Keys.page('1'), app.cache.increment(Keys.page('1'))], 120],
    ['the one that is given', async () => [key, app.cache.increment(key, 5, 30)], 30],
    [
      'the one that is given, also when it counts down',
      async () => [key, app.cache.decrement(key, 5, 30)],
      30,
    ],
  ])('makes a counter with a life: %s', async (_, count, seconds) => {
    const [counter, sum] = await count();
    await sum;
    const left = (await app.cache.ttl(counter)) as number;
    expect(left).toBeLessThanOrEqual(seconds);
    expect(left).toBeGreaterThan(seconds - 25);
    await app.cache.increment(counter, 1, 10_000);
    expect(await app.cache.ttl(counter)).toBeLessThanOrEqual(seconds);
  });

  it('makes one in the place of a lease over nothing, whose load then fills nothing', async () => {
    const read = app.read<number>(key, async () => {
      expect(await other.cache.increment(key, 7, 60)).toBe(7);
      return 1;
    });
    expect(await read).toBe(1);
    expect(await other.cache.get(key)).toBe(7);
    expect(await app.cache.ttl(key)).toBeGreaterThan(30);
  });
});

describe('keys', () => {
  const halves = ['\ud83d', 'a\udc4d', '\ud83d:b', '\udc4d\ud83d'];

  it.each(halves)('with half a surrogate are refused everywhere, so that none are one: %j', async (half) => {
    const code = { code: 'INVALID_KEY' };
    const load = async () => 1;
    const write = async () => undefined;
    await expect(app.cache.get(half)).rejects.toMatchObject(code);
    await expect(app.cache.mget(['a', half])).rejects.toMatchObject(code);
    await expect(app.cache.set(half, 1)).rejects.toMatchObject(code);
    await expect(app.cache.mset([{ key: half, value: 1 }])).rejects.toMatchObject(code);
    await expect(app.cache.setnx(half, 1)).rejects.toMatchObject(code);
    await expect(app.cache.delete(half)).rejects.toMatchObject(code);
    await expect(app.cache.increment(half)).rejects.toMatchObject(code);
    await expect(app.cache.ttl(half)).rejects.toMatchObject(code);
    await expect(app.cache.expire(half, 1)).rejects.toMatchObject(code);
    await expect(app.cache.explain(half)).rejects.toMatchObject(code);
    await expect(app.cache.invalidatePattern(`${half}*`)).rejects.toMatchObject(code);
    await expect(app.cache.invalidateTag(half)).rejects.toMatchObject(code);
    await expect(app.cache.set(key, 1, 60, { tags: [half] })).rejects.toMatchObject(code);
    await expect(app.read(half, load)).rejects.toMatchObject(code);
    await expect(app.read(key, load, { tags: [half] })).rejects.toMatchObject(code);
    await expect(app.readMany([key, half], async () => new Map())).rejects.toMatchObject(code);
    await expect(app.write(half, 1, write)).rejects.toMatchObject(code);
    await expect(app.write(key, 1, write, { tags: [half] })).rejects.toMatchObject(code);
    await expect(app.patterns.invalidateRelated([half])).rejects.toMatchObject(code);
  });

  it('that are whole never meet', async () => {
    const keys = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((one) => one[0] !== '#');
    await fc.assert(
      fc.asyncProperty(keys, keys, async (a, b) => {
        fc.pre(a !== b);
        await app.cache.mset([
          { key: a, value: 'a' },
          { key: b, value: 'b' },
        ]);
        expect(await other.cache.mget([a, b])).toEqual(['a', 'b']);
        await app.cache.mdelete([a, b]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('P9 invalidateRelated', () => {
  const set = (keys: readonly string[]) => app.cache.mset(keys.map((one) => ({ key: one, value: one })));
  it.each(['user:[7]', 'page:/search?q=7', 'a\\b', 'user:[^7]', '[', 'user:7\\'])(
    'takes the key %s as it is',
    async (exact) => {
      const near = ['user:7', 'page:/searchXq=7', 'ab', 'user:8', 'user:7\\x'];
      await set([...near, exact]);
      expect(await app.patterns.invalidateRelated([exact])).toBe(1);
      expect(await other.cache.mget([...near, exact])).toEqual([...near, null]);
    },
  );

  it.each(['rating:5*', '*', 'a*b', 'user:[7]*'])('takes { key: "%s" } as a key', async (exact) => {
    const near = ['rating:51', 'axb', 'user:7x'];
    await set([...near, exact]);
    expect(await app.patterns.invalidateRelated([{ key: exact }])).toBe(1);
    expect(await other.cache.mget([...near, exact])).toEqual([...near, null]);
  });

  it('takes { pattern } as a glob pattern of Redis', async () => {
    await set(['g:1', 'g:2', 'g:33', 'g:[12]']);
    expect(await app.patterns.invalidateRelated([{ pattern: 'g:[12]' }])).toBe(2);
    expect(await app.patterns.invalidateRelated([{ pattern: 'g:\\[12\\]' }, { pattern: 'g:??' }])).toBe(2);
  });

  it('keys as keys: whatever they are, exactly these are deleted', async () => {
    const one = fc.string({ unit: fc.constantFrom(...'a*?[]\\^-:7'), minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(one, { minLength: 1, maxLength: 6 }),
        fc.uniqueArray(one, { maxLength: 6 }),
        async (gone, others) => {
          const kept = others.filter((other) => !gone.includes(other)).map((text) => `k${text}`);
          const keys = gone.map((text) => `k${text}`);
          await set([...keys, ...kept]);
          expect(await app.patterns.invalidateRelated(keys.map((text) => ({ key: text })))).toBe(keys.length);
          expect(await other.cache.mget([...keys, ...kept])).toEqual([...keys.map(() => null), ...kept]);
          await app.cache.mdelete(kept);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('allOf', () => {
  const Keys = cacheKeys('owner', {
    profile: cacheKey<string>(60),
    page: cacheKey<string, readonly [id: string, page: string]>(60),
  });
  cacheKeys('owners', { profile: cacheKey<string>(60) });

  it('is of the keys whose first id is this one, and of no others', async () => {
    const id = fc.string({ unit: fc.constantFrom(...'70-x.'), minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(id, fc.array(id, { maxLength: 5 }), async (asked, others) => {
        const ids = [...new Set([asked, ...others, `${asked}0`, `0${asked}`])];
        const keys = [
          ...ids.map((one) => Keys.profile(one)),
          ...ids.flatMap((one) => ids.map((two) => Keys.page(one, two))),
        ];
        await app.cache.mset([...keys, `owners:profile:${asked}`].map((one) => ({ key: one, value: one })));
        const ofAsked = keys.filter((one) => one.split(':')[2] === asked);
        const scanned = new Set<string>();
        for await (const one of app.cache.scanPattern(allOf('owner', asked))) scanned.add(one);
        expect(scanned).toEqual(new Set(ofAsked));
        expect(await app.patterns.invalidateRelated([allOf('owner', asked)])).toBe(ofAsked.length);
        const expected = keys.map((one) => (ofAsked.includes(one) ? null : one));
        expect(await other.cache.mget(keys)).toEqual(expected);
        await app.cache.mdelete([...keys, `owners:profile:${asked}`]);
      }),
      { numRuns: 30 },
    );
  });
});

describe('options out of their range', () => {
  const load = async () => 1;
  it.each<[string, object]>([
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY].map((ms): [string, object] => [
      `ttlMs ${ms}`,
      { ttlMs: ms },
    ]),
    ...['graceMs', 'absentTtlMs', 'softTimeoutMs', 'loadTimeoutMs', 'memoryTtlMs'].flatMap((name) =>
      [-1, Number.NaN].map((ms): [string, object] => [`${name} ${ms}`, { [name]: ms }]),
    ),
    ['loadTimeoutMs of a month, which a timer takes for nothing', { loadTimeoutMs: 31 * 86_400_000 }],
    ['refreshWhen 1', { refreshWhen: 1 }],
  ])('are refused: %s', async (_, options) => {
    await expect(app.read(key, load, options)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    await expect(app.readMany([key], async () => [1], options)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
    });
  });
});
