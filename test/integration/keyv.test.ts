/** Keyv's own compliance suite, on the storage adapter; and what is forebay's own. */
import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite';
import { createCache } from 'cache-manager';
import Keyv from 'keyv';
import * as vitest from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { defineStores } from '../../src/definitions/stores.js';
import { forebayKeyv } from '../../src/keyv.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const { afterAll, beforeAll, describe, expect, it } = vitest;
const stores = defineStores({});
let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;

beforeAll(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
});

afterAll(() => environment.close());

const store = () => forebayKeyv(app);

// Its groups each begin by clearing what is there before every test.
describe('Keyv, with the adapter', () => keyvTestSuite(vitest as never, Keyv as never, store as never));
describe("Keyv's iterator, with the adapter", () =>
  keyvIteratorTests(vitest as never, Keyv as never, store as never));

describe('the adapter', () => {
  it('works under cache-manager', async () => {
    const cache = createCache({ stores: [new Keyv({ store: store() })] });
    expect(await cache.wrap('a', async () => ({ n: 1 }), 60_000)).toEqual({ n: 1 });
    expect(await cache.wrap('a', async () => ({ n: 2 }), 60_000)).toEqual({ n: 1 });
    await cache.mset([
      { key: 'b', value: 2 },
      { key: 'c', value: 3 },
    ]);
    expect(await cache.mget(['b', 'none', 'c'])).toEqual([2, undefined, 3]);
    await cache.mdel(['b', 'c']);
    expect(await cache.get('b')).toBeUndefined();
    await cache.clear();
  });

  it('has its values end in Redis, and those without a life last', async () => {
    const keyv = new Keyv({ store: store(), namespace: 'life' });
    await keyv.set('a', 1, 60_000);
    await keyv.set('b', 1);
    expect(await app.cache.ttl('keyv:life:a')).toBeLessThanOrEqual(60);
    expect(await app.cache.ttl('keyv:life:b')).toBeGreaterThan(8 * 365 * 86_400);
  });

  it('clears its own keys only, whatever characters the namespace has', async () => {
    await app.cache.set('keyvs:a', 1);
    await app.cache.set('keyv:x:a', 1);
    const keyv = new Keyv({ store: store(), namespace: '*' });
    await keyv.set('a', 1);
    await keyv.clear();
    expect(await keyv.get('a')).toBeUndefined();
    expect(await app.cache.mget(['keyvs:a', 'keyv:x:a'])).toEqual([1, 1]);
  });

  it('leaves the app open when Keyv disconnects', async () => {
    await new Keyv({ store: store() }).disconnect();
    expect(await app.redis.isRedisAvailable()).toBe(true);
  });
});
