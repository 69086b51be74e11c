/** The driver for unstorage, on what its own drivers are tested for (it does not publish that suite). */
import { createStorage, prefixStorage, restoreSnapshot, type Storage, snapshot } from 'unstorage';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { defineStores } from '../../src/definitions/stores.js';
import { forebayDriver } from '../../src/unstorage.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const stores = defineStores({});
let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;
let storage: Storage;

beforeAll(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
  storage = createStorage({ driver: forebayDriver(app) });
});

beforeEach(() => storage.clear());
afterAll(() => environment.close());

it('has nothing at first', async () => {
  expect(await storage.hasItem('a:b')).toBe(false);
  expect(await storage.getItem('a:b')).toBeNull();
  expect(await storage.getKeys()).toEqual([]);
  await storage.clear();
});

it.each([
  ['a text', 'text'],
  ['a text that looks like a number', '007'],
  ['zero', 0],
  ['false', false],
  ['an object', { deep: [1, null, { x: 'y' }] }],
])('keeps %s', async (_, value) => {
  await storage.setItem('/data/one.json', value);
  expect(await storage.getItem('data:one.json')).toEqual(value);
});

it('keeps bytes', async () => {
  const bytes = new Uint8Array([0, 1, 2, 255]);
  await storage.setItemRaw('raw.bin', bytes);
  expect(Buffer.from((await storage.getItemRaw('raw.bin')) as Uint8Array)).toEqual(Buffer.from(bytes));
});

it('reads and writes many items at once', async () => {
  await storage.setItems<string | number>([
    { key: 'a:1', value: 1 },
    { key: 'a:2', value: 'two' },
  ]);
  expect(await storage.getItems(['a:2', 'none', { key: 'a:1' }])).toEqual([
    { key: 'a:2', value: 'two' },
    { key: 'none', value: null },
    { key: 'a:1', value: 1 },
  ]);
});

it('lists keys by base and depth, and clears those of a base', async () => {
  for (const key of ['top', 'a:one', 'a:b:two', 'a*:three']) await storage.setItem(key, 1);
  const keys = async (base?: string, maxDepth?: number): Promise<string[]> =>
    (await storage.getKeys(base, maxDepth === undefined ? {} : { maxDepth })).sort();
  expect(await keys()).toEqual(['a*:three', 'a:b:two', 'a:one', 'top']);
  expect(await keys('a')).toEqual(['a:b:two', 'a:one']);
  expect(await keys(undefined, 0)).toEqual(['top']);
  expect(await keys(undefined, 1)).toEqual(['a*:three', 'a:one', 'top']);
  // Of a base within a mount, unstorage itself clears nothing.
  await forebayDriver(app).clear?.('a:', {});
  expect(await keys()).toEqual(['a*:three', 'top']);
});

it('removes items', async () => {
  await storage.setItem('a', 1);
  await storage.removeItem('a');
  expect([await storage.hasItem('a'), await storage.getItem('a')]).toEqual([false, null]);
});

it('has items end after their ttl, in seconds, and tells it', async () => {
  await storage.setItem('a', 1, { ttl: 60 });
  expect((await storage.getMeta('a')).ttl).toBeLessThanOrEqual(60);
  const brief = createStorage({ driver: forebayDriver(app, { base: 'brief', ttl: 0.05 }) });
  await brief.setItem('a', 1);
  await expect.poll(() => brief.getItem('a')).toBeNull();
});

it('takes a snapshot, and restores it', async () => {
  await storage.setItems<string | number>([
    { key: 's:a', value: 1 },
    { key: 's:b', value: 'x' },
  ]);
  const taken = await snapshot(storage, 's');
  await storage.clear();
  await restoreSnapshot(prefixStorage(storage, 's'), taken);
  expect(await storage.getItem('s:b')).toBe('x');
});

it('leaves the app open when it is disposed', async () => {
  await createStorage({ driver: forebayDriver(app) }).dispose();
  expect(await app.redis.isRedisAvailable()).toBe(true);
});
