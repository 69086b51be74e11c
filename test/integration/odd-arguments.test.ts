/** What callers give where no compiler looks: it is refused by name and with a code, and nothing is done. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project, TeamMember } from '../../examples/platform/generated/models.js';
import { type ConnectOptions, connect, type Forebay } from '../../src/app/connect.js';
import { cacheKey, cacheKeys } from '../../src/definitions/cache-key.js';
import { computed } from '../../src/definitions/computed.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores, type Stores } from '../../src/definitions/stores.js';
import { ForebayError } from '../../src/errors.js';
import { redisSettings } from '../../src/redis-settings.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const Keys = cacheKeys('odd', { page: cacheKey<string>(60), rows: cacheKey<string>(60) });
const projects = record({ model: Project, counters: ['views', 'touches'] });
const stores = defineStores({
  projects,
  members: record({ model: TeamMember, partitionBy: { projectId: projects } }),
  views: counter({ of: projects, field: 'views' }),
  pages: computed({ key: Keys.page, load: async (ids) => new Map(ids.map((id) => [id, `page ${id}`])) }),
  rows: computed({ key: Keys.rows, load: async () => [{ id: 'a' }] as never }),
});
type App = Forebay<typeof stores extends Stores<infer D> ? D : never>;

const row = { id: 'a', name: 'Harbour' };
const load = async (): Promise<string> => 'loaded';
const loadAll = async (keys: string[]): Promise<string[]> => keys.map(() => 'loaded');
let uses = 0;
const key = (): string => `odd:key:${++uses}`;

const numbers = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, -0, 0.4];
const others = [true, Symbol('odd'), () => undefined, Object.create(null) as unknown, 1n, {}];
const noText = [null, undefined, ...numbers, ...others, []];
const noList = [null, undefined, ...numbers, ...others, 'odd:*'];
const noObject = [null, ...numbers, 'odd', true, Symbol('odd'), 1n];
const noTime = [-1, Number.NaN, ...others, '5', [], null];
const noFunction = [null, undefined, ...numbers, true, Symbol('odd'), 1n, {}, 'odd'];

type Call = (app: App, odd: never) => Promise<unknown>;

/** By what is odd: calls, and what each must refuse. */
const calls: Record<string, readonly [odd: readonly unknown[], call: Call]> = {
  'the key of a get': [noText, ({ cache }, odd) => cache.get(odd)],
  'the key of a set': [noText, ({ cache }, odd) => cache.set(odd, 1)],
  'the key of a read': [noText, (app, odd) => app.read(odd, load)],
  'the key of a write': [noText, (app, odd) => app.write(odd, 1, load)],
  'the key of an increment': [noText, ({ cache }, odd) => cache.increment(odd)],
  'the key of a loader': [noText, ({ stores }, odd) => stores.pages.getAhead(odd, 0.5)],
  'the id of a key': [noText, ({ stores }, odd) => stores.pages.get(odd)],
  'a tag that is invalidated': [noText, ({ cache }, odd) => cache.invalidateTag(odd)],
  'a pattern': [noText, ({ cache }, odd) => cache.invalidatePattern(odd)],
  'one of the keys and patterns': [noText, ({ patterns }, odd) => patterns.invalidateRelated([odd])],
  'the keys and patterns': [noList, ({ patterns }, odd) => patterns.invalidateRelated(odd)],
  'the keys of an mget': [noList, ({ cache }, odd) => cache.mget(odd)],
  'the keys of an mdelete': [noList, ({ cache }, odd) => cache.mdelete(odd)],
  'the entries of an mset': [noList, ({ cache }, odd) => cache.mset(odd)],
  'the keys of a readMany': [noList, (app, odd) => app.readMany(odd, loadAll)],
  'the tags of a set': [noList.slice(2), ({ cache }, odd) => cache.set(key(), 1, 5, { tags: odd })],
  'the tags of a read': [noList.slice(2), (app, odd) => app.read(key(), load, { tags: odd })],
  'the rows of a putMany': [noList, ({ stores }, odd) => stores.projects.putMany(odd)],
  'ids of rows': [noList, ({ stores }, odd) => stores.projects.getMany(odd)],
  'ids of counters': [noList, ({ stores }, odd) => stores.views.getMany(odd)],
  'ids of values': [noList, ({ stores }, odd) => stores.pages.getMany(odd)],
  'ids to be warmed': [noList, ({ stores }, odd) => stores.pages.warm(odd)],
  'writes that belong together': [noList, (app, odd) => app.writeTogether('projects', odd)],
  'the options of a put': [noObject, ({ stores }, odd) => stores.projects.put(row, odd)],
  'the options of an add': [noObject, ({ stores }, odd) => stores.views.add('a', 1, odd)],
  'the options of a read': [noObject, (app, odd) => app.read(key(), load, odd)],
  'the options of a write': [noObject, (app, odd) => app.write(key(), 1, load, odd)],
  'the options of a flush': [noObject, (app, odd) => app.flush(odd)],
  'the options of a set': [noObject, ({ cache }, odd) => cache.set(key(), 1, 5, odd)],
  'the ttl of a set': [noTime, ({ cache }, odd) => cache.set(key(), 1, odd)],
  'the ttl of a pattern': [noTime, ({ patterns }, odd) => patterns.cacheAside(key(), load, odd)],
  'the ttlMs of a read': [noTime, (app, odd) => app.read(key(), load, { ttlMs: odd })],
  'the graceMs of a read': [noTime, (app, odd) => app.read(key(), load, { graceMs: odd })],
  'the loadTimeoutMs of a read': [noTime, (app, odd) => app.read(key(), load, { loadTimeoutMs: odd })],
  'the ttlMs of a warming': [noTime, ({ stores }, odd) => stores.pages.warm(['1'], odd)],
  'the timeoutMs of a flush': [noTime, (app, odd) => app.flush({ timeoutMs: odd })],
  'the signal of a read': [[null, {}, 'odd', 1], (app, odd) => app.read(key(), load, { signal: odd })],
  'the load of a read': [noFunction, (app, odd) => app.read(key(), odd)],
  'the load of a readMany': [noFunction, (app, odd) => app.readMany([key()], odd)],
  'what writes': [noFunction, (app, odd) => app.write(key(), 1, odd)],
  'the change of an update': [noFunction, ({ stores }, odd) => stores.projects.update('a', odd)],
  'what an update gives': [noObject.slice(1), ({ stores }, odd) => stores.projects.update('a', () => odd)],
  'what a load of many gives': [[null, undefined, 'x', {}], (app, odd) => app.readMany([key()], () => odd)],
  'what a store’s load gives': [[undefined], ({ stores }) => stores.rows.get('a')],
  'a durability': [noText.slice(2), ({ stores }, odd) => stores.projects.put(row, { durability: odd })],
  'what is done when it is full': [
    ['no', null],
    ({ stores }, odd) => stores.projects.put(row, { onFull: odd }),
  ],
  'a version that is put over': [
    [null, undefined, ...numbers, '1', 1, ''],
    ({ stores }, odd) => stores.projects.putIf(row, { version: odd }),
  ],
  'a version that is deleted': [
    [null, undefined, [], '', '1', 1],
    ({ stores }, odd) => stores.projects.deleteIf('a', { version: odd }),
  ],
  'a version in writes that belong together': [
    [null, [], '', 1],
    (app, odd) => app.writeTogether('projects', [{ store: 'projects', delete: 'a', version: odd }]),
  ],
  'a dead letter': [
    [...noObject, { name: { field: 'projects:a', at: 0.4 }, lane: 'projects/0' }],
    ({ deadLetters }, odd) => deadLetters.discard(odd),
  ],
};

describe('what is not as its type says is refused with a code', () => {
  let environment: Environment;
  let app: App;

  beforeAll(async () => {
    environment = await createEnvironment();
    app = await environment.connect(stores);
    await app.stores.projects.put(row);
    await app.cache.set('odd:kept:1', 'kept');
  });

  afterAll(() => environment.close());

  it.each(Object.entries(calls))('%s', async (_, [odd, call]) => {
    const settled = await Promise.allSettled(odd.map(async (one) => call(app, one as never)));
    const taken = settled.flatMap((result, i) =>
      result.status === 'rejected' && result.reason instanceof ForebayError ? [] : [[odd[i], result]],
    );
    expect(taken).toEqual([]);
    const codes = settled.map((result) => (result as PromiseRejectedResult).reason.code as string);
    expect(codes.filter((code) => !/^INVALID_|^UNKNOWN_STORE$/.test(code))).toEqual([]);
  });

  it('and nothing is done', async () => {
    expect(await app.stores.projects.get('a')).toMatchObject(row);
    expect(await app.cache.get('odd:kept:1')).toBe('kept');
  });
});

describe('what is given as undefined', () => {
  let environment: Environment;

  beforeAll(async () => {
    environment = await createEnvironment();
  });

  afterAll(() => environment.close());

  it('counts as left out: of a read, its ttlMs', async () => {
    const app = await environment.connect(stores);
    await app.read('odd:left:1', load, { ttlMs: undefined as never });
    expect(await app.cache.ttl('odd:left:1')).toBeGreaterThan(700);
    await app.patterns.cacheAside('odd:left:2', load, 60, { ttlMs: undefined } as never);
    expect(await app.cache.ttl('odd:left:2')).toBeLessThanOrEqual(60);
  });

  it('of a write, its durability', async () => {
    const safe = defineStores({ safe: record({ model: Project, durability: 'replicated' }) });
    const app = await environment.connect(safe);
    const put = app.stores.safe.put({ id: 'b', name: 'Quay' }, { durability: undefined as never });
    // There is no replica.
    await expect(put).rejects.toMatchObject({ code: 'DURABILITY_NOT_MET' });
  });
});

describe('what an app is connected with', () => {
  let environment: Environment;

  beforeAll(async () => {
    environment = await createEnvironment();
  });

  afterAll(() => environment.close());

  it.each([
    ['no stores', (given: object) => connect(undefined as never, given as never)],
    ['definitions that are no stores', (given: object) => connect({ projects } as never, given as never)],
    ['no options', () => connect(stores, undefined as never)],
    ['no Prisma client', ({ prisma: _, ...given }: ConnectOptions) => connect(stores, given as never)],
    ['a listener that is none', odd({ onEvent: 'log' })],
    ['a trace that is none', odd({ trace: {} })],
    ['no loads at once', odd({ cache: { loadsMax: 0 } })],
    ['waiting loads without a number', odd({ cache: { waitingLoadsMax: Number.NaN } })],
    ['statistics all the time', odd({ cache: { statisticsEveryMs: 0 } })],
    ['statistics at a time that no timer has', odd({ cache: { statisticsEveryMs: 2 ** 40 } })],
    ['values of no bytes', odd({ cache: { valueBytesMax: Number.NaN } })],
    ['a memory of nothing', odd({ cache: { l1: { entriesMax: 0 } } })],
    ['a memory that is none', odd({ cache: { l1: null } })],
    ['a serializer that is none', odd({ cache: { serializer: {} } })],
    ['a configuration that is none', odd({ config: {} })],
    ['a prefix with a brace', odd({ config: { prefix: 'a}b', redis: {}, queueRedis: {} } })],
  ] as [string, (given: ConnectOptions) => Promise<unknown>][])(
    'is refused with a code: %s',
    async (_, call) => {
      const { prisma, config } = environment;
      const refused = await call({ prisma, config }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: expect.stringMatching(/^INVALID_(VALUE|CONFIG)$/) });
    },
  );

  it('a URL that is none, too, and its text is not told', () => {
    for (const url of ['', 'secret', 'http://h:1', 'redis://h/x', undefined])
      expect(() => redisSettings(url as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_CONFIG', message: expect.not.stringContaining('secret') }),
      );
  });
});

function odd(options: object): (given: ConnectOptions) => Promise<unknown> {
  return (given) => connect(stores, { ...given, ...options } as never);
}
