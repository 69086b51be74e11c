/** "Where is my write?", asked of everything that a write or a cached value can be. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project, TeamMember, User } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { openConnections, type RedisClient } from '../../src/connection/redis.js';
import { computed } from '../../src/definitions/computed.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { writer } from '../../src/definitions/writer.js';
import { searchLetters } from '../../src/operations/letter-search.js';
import { Places } from '../../src/operations/places.js';
import { type RecordWhereabouts, type ValueWhereabouts, whereIs } from '../../src/operations/where.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const projects = record({ model: Project, counters: ['views'], delayMs: 0 });
const stores = defineStores({
  projects,
  views: counter({ of: projects, field: 'views' }),
  users: record({ model: User, private: ['email'], delayMs: 0 }),
  members: record({ model: TeamMember, parentWaitMs: 60_000, delayMs: 0 }),
  profiles: writer<string>({ keys: 'user:profile', delayMs: 0, write: async () => undefined }),
  sums: computed({ key: (id: string) => `sum:of:${id}`, load: async () => new Map([['a', 7]]) }),
});

let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;
let redis: RedisClient;

beforeEach(async () => {
  environment = await createEnvironment();
  await environment.prisma.$executeRawUnsafe(
    "ALTER TABLE projects ADD CONSTRAINT good_name CHECK (name <> 'bad'), ADD CONSTRAINT few CHECK (views < 100)",
  );
  await environment.prisma.$executeRawUnsafe(
    "ALTER TABLE users ADD CONSTRAINT own CHECK (email <> 'secret@x.y')",
  );
  app = await environment.connect(stores);
  ({ redis } = await openConnections({ redis: [environment.config.redis, 'reads'] }, () => undefined));
});

afterEach(async () => {
  redis.disconnect();
  await environment.close();
});

const everything = () => ({ redis, prefix: environment.config.prefix, stores, database: environment.prisma });
const found = async (what: string) => (await whereIs(what, everything())) as RecordWhereabouts;
const value = async (what: string) => (await whereIs(what, everything())) as ValueWhereabouts;
const undefinedStores = async (what: string) =>
  (await whereIs(what, { redis, prefix: environment.config.prefix })) as RecordWhereabouts;

const put = (id: string, name = 'good') => app.stores.projects.put({ id, name });

/** Seals what a record's lane holds, as a worker does that dies then. */
async function seal(store: 'projects' | 'users', id: string): Promise<string> {
  const lanes = new Lanes(stores, environment.config.prefix);
  const lane = lanes.of(stores.byName.get(store)?.group as never, id);
  const sealed = await new WriteBuffer(redis, environment.config.prefix).seal(lane, {
    recordsMax: 100,
    delayMs: 0,
    floor: 0n,
  });
  return sealed.kind === 'batch' ? sealed.batch.number : '';
}

describe('a record', () => {
  it('is dirty from its write until a batch takes it, and its row is as it was', async () => {
    const { version, lane } = await put('p');
    const { dirty, ...facts } = await found('projects:p');
    expect(facts).toMatchObject({
      kind: 'record',
      state: 'dirty',
      version: `${version}`,
      row: { isThere: false },
      lane: { name: lane, version: `${version}` },
    });
    expect(facts.answer).toMatch(/^Accepted, and not in the database yet/);
    expect(dirty).toMatchObject({
      does: 'put',
      version: `${version}`,
      text: expect.stringContaining('"good"'),
    });
    expect(Math.abs(Date.now() - (dirty?.since?.getTime() ?? 0))).toBeLessThan(60_000);
  });

  it('is sealed under the number of its batch, and dirty as well once it is written again', async () => {
    await put('p');
    const batch = await seal('projects', 'p');
    expect(await found('projects:p')).toMatchObject({ state: 'sealed', sealed: { batch, failures: 0 } });
    await app.stores.projects.delete('p');
    expect(await found('projects:p')).toMatchObject({
      state: 'dirty',
      dirty: { does: 'delete' },
      sealed: { does: 'put', batch },
    });
  });

  it('is settled once it is in the database: with its row, its entry and the last flush', async () => {
    const { version, lane } = await put('p');
    await app.stores.projects.get('p');
    await environment.startWorker(stores);
    await app.flush();
    const facts = await found('projects:p');
    expect(facts).toMatchObject({
      state: 'settled',
      answer: expect.stringContaining('Its row is there.'),
      entry: { holds: 'row', version: `${version}`, livesForMs: expect.any(Number) },
      row: { isThere: true, text: expect.stringContaining('"name":"good"') },
      lane: { name: lane, lastFlush: { batch: expect.any(String) }, ledger: { appliedAt: expect.any(Date) } },
    });
    expect(facts.lane.ledger?.batch).toBe(facts.lane.lastFlush?.batch);
  });

  it('waits for the row that it refers to', async () => {
    await app.stores.members.put({ projectId: 'nowhere', userId: 'nobody' });
    await environment.startWorker(stores);
    await expect.poll(async () => (await found('members:nowhere,nobody')).state).toBe('waiting');
    expect(await found('members:nowhere,nobody')).toMatchObject({
      answer: expect.stringContaining('waits for a row'),
      waiting: { forMs: expect.any(Number) },
    });
  });

  it('is a dead letter with the database’s error, until it is replayed', async () => {
    const { version } = await put('p', 'bad');
    await environment.startWorker(stores);
    await app.flush();
    expect(await found('projects:p')).toMatchObject({
      state: 'refused',
      version: `${version}`,
      deadLetter: { state: '23514', message: expect.stringContaining('good_name'), record: { does: 'put' } },
    });
  });

  it('that nobody has written has no row, and nothing of it is pending', async () => {
    expect(await found('projects:none')).toMatchObject({
      state: 'settled',
      answer: expect.stringContaining('There is no row.'),
    });
  });

  it('is found without the definitions too, but not what it holds', async () => {
    await put('p');
    await app.stores.views.add('p', 2);
    expect(await undefinedStores('projects:p')).toMatchObject({ state: 'dirty', dirty: { does: 'put' } });
    expect(JSON.stringify(await undefinedStores('projects:p'))).not.toContain('good');
    expect(await undefinedStores('views:p')).toMatchObject({
      kind: 'counter',
      state: 'dirty',
      dirty: { does: 'delta', text: '2' },
    });
  });

  it('shows none of its private fields, wherever it is', async () => {
    const write = () => app.stores.users.put({ id: 'u', email: 'secret@x.y', name: 'shown' });
    await write();
    const states = [await found('users:u')];
    await seal('users', 'u');
    states.push(await found('users:u'));
    await environment.startWorker(stores);
    await app.flush();
    states.push(await found('users:u'));
    await environment.prisma.$executeRawUnsafe('ALTER TABLE users DROP CONSTRAINT own');
    await write();
    await app.flush();
    states.push(await found('users:u'));
    expect(states.map(({ state }) => state)).toEqual(['dirty', 'sealed', 'refused', 'settled']);
    for (const state of states) {
      expect(JSON.stringify(state)).toContain('shown');
      expect(JSON.stringify(state)).not.toContain('secret');
    }
    expect(states[3]).toMatchObject({ row: { isThere: true } });
  });
});

describe('a counter', () => {
  it('is dirty with its delta, in its row’s lane, then settled with its value', async () => {
    await put('p');
    const { lane } = await app.stores.views.add('p', 3);
    expect(await found('views:p')).toMatchObject({
      kind: 'counter',
      state: 'dirty',
      dirty: { does: 'delta', text: '3' },
      lane: { name: lane },
    });
    await environment.startWorker(stores);
    await app.flush();
    expect(await found('views:p')).toMatchObject({ state: 'settled', row: { isThere: true, text: '3' } });
  });

  it('is in the dead letter of its row', async () => {
    await environment.startWorker(stores);
    await put('p', 'bad');
    await app.stores.views.add('p', 3);
    await app.flush();
    expect(await found('views:p')).toMatchObject({
      state: 'refused',
      deadLetter: { message: expect.stringContaining('good_name'), record: { does: 'delta', text: '3' } },
    });
  });

  it('is a dead letter of its own, when only it is refused', async () => {
    await put('p');
    await environment.startWorker(stores);
    await app.stores.views.add('p', 200);
    await app.flush();
    expect(await found('projects:p')).toMatchObject({ state: 'settled' });
    expect(await found('views:p')).toMatchObject({
      state: 'refused',
      deadLetter: { message: expect.stringContaining('few'), record: { does: 'delta', text: '200' } },
    });
  });
});

describe('a cached value', () => {
  it.each([
    ['fresh', 60],
    ['missing', undefined],
  ])('is %s, and its content is not told', async (state, ttl) => {
    if (ttl !== undefined) await app.cache.set('user:x:1', 'hidden', ttl);
    const facts = await value('user:x:1');
    expect(facts).toMatchObject({ kind: 'value', key: 'user:x:1', state });
    expect(JSON.stringify(facts)).not.toContain('hidden');
  });

  it('is invalidated by a tag', async () => {
    await app.write('user:x:1', 'v', async () => undefined, { tags: ['t'] });
    expect(await value('user:x:1')).toMatchObject({ state: 'fresh', tags: [{ tag: 't' }] });
    await app.cache.invalidateTag('t');
    expect(await value('user:x:1')).toMatchObject({ state: 'invalidated' });
  });

  it('of a computed store is found by the store’s name', async () => {
    await app.stores.sums.get('a');
    expect(await value('sums:a')).toMatchObject({ kind: 'value', key: 'sum:of:a', state: 'fresh' });
  });

  it('is found without the definitions too, also where Redis knows of one store alone', async () => {
    const own = await createEnvironment();
    const beginner = await own.connect(defineStores({ users: record({ model: User }) }));
    await beginner.stores.users.put({ id: 'u', email: 'a@b.c', name: 'n' });
    await beginner.write('sum:of:a', 7, async () => undefined);
    const { prefix } = own.config;
    expect(await whereIs('sum:of:a', { redis, prefix })).toMatchObject({ kind: 'value', state: 'fresh' });
    expect(await whereIs('users:u', { redis, prefix })).toMatchObject({ kind: 'record', state: 'dirty' });
    await own.close();
  });

  it('that is written behind tells of its write', async () => {
    await app.patterns.writeBehind('user:profile:1', 'text', app.stores.profiles);
    expect(await value('user:profile:1')).toMatchObject({
      write: { store: 'profiles', state: 'dirty' },
      answer: expect.stringContaining('Its last write: Accepted'),
    });
  });
});

it.each(['', 'projects', ':x', 'projects:'])('names nothing: %j', async (what) => {
  await expect(whereIs(what, everything())).rejects.toMatchObject({ code: 'INVALID_KEY' });
});

it('the look costs the same calls, whatever else the lanes hold', async () => {
  const sent: string[] = [];
  const client = redis as unknown as { sendCommand(command: { name: string }, stream?: unknown): unknown };
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    sent.push(command.name);
    return send(command, stream);
  };
  await put('p1');
  await found('projects:p1'); // Redis gets to know the script.
  const calls = async () => {
    sent.length = 0;
    await found('projects:p1');
    return [...sent];
  };
  const few = await calls();
  await app.stores.projects.putMany(Array.from({ length: 2_000 }, (_, i) => ({ id: `q${i}`, name: 'good' })));
  expect(await calls()).toEqual(few);
  expect(few).toEqual(['hgetall', 'evalsha']);
});

describe('dead letters', () => {
  it('are found by store, id, error and time, and grouped by what the database says', async () => {
    await environment.startWorker(stores);
    for (const id of ['a1', 'a2', 'b1']) await put(id, 'bad');
    await app.stores.users.put({ id: 'u', email: 'secret@x.y', name: 'n' });
    await app.stores.projects.put({ id: 'few', name: 'good' });
    await app.stores.views.add('few', 200);
    await app.flush();
    const places = await Places.read(redis, environment.config.prefix, stores);
    const search = (query: Parameters<typeof searchLetters>[0]) => searchLetters(query, { redis, places });
    const ids = async (query: Parameters<typeof searchLetters>[0]) =>
      (await search(query)).letters.map(({ store, id }) => `${store}:${id}`).sort();
    const all = await search({});
    expect(all.groups.map(({ store, count }) => [store, count])).toEqual([
      ['projects', 3],
      ...all.groups.slice(1).map(({ store }) => [store, 1]),
    ]);
    expect(all.groups).toHaveLength(3);
    expect(await ids({ store: 'users' })).toEqual(['users:u']);
    expect(await ids({ id: 'a' })).toEqual(['projects:a1', 'projects:a2']);
    expect(await ids({ error: 'GOOD_name' })).toEqual(['projects:a1', 'projects:a2', 'projects:b1']);
    expect(await ids({ error: '23514', id: 'few' })).toEqual(['views:few']);
    expect(await ids({ since: new Date(Date.now() + 3_600_000) })).toEqual([]);
    expect(await ids({ group: all.groups[0]?.key })).toEqual(['projects:a1', 'projects:a2', 'projects:b1']);
    const [latest] = all.letters;
    expect((await ids({ until: `${BigInt(latest?.name.at ?? 0) - 1n}` })).length).toBeLessThan(5);
  });
});
