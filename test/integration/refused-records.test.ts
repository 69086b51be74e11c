/** What the database refuses: found, taken out, kept with its error, and replayed. */
import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project, Task } from '../../examples/platform/generated/models.js';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import type { DeadLetter } from '../../src/client/dead-letters.js';
import { record } from '../../src/definitions/record.js';
import { type Definitions, defineStores, type Stores } from '../../src/definitions/stores.js';
import type { EventType, ForebayEvent } from '../../src/events.js';
import { partitionsKey, queuePrefix } from '../../src/keys.js';
import { type DeadLetterJob, deadLetterQueueName } from '../../src/queues/dead-letter-queue.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { RoundTrips } from '../support/round-trips.js';

let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;
let deadLetterQueue: Queue<DeadLetterJob>;

beforeEach(async () => {
  environment = await createEnvironment();
  // What is bad: a text that is too long.
  await environment.prisma.$executeRawUnsafe(
    'ALTER TABLE projects ADD CONSTRAINT short_name CHECK (length(name) < 10), ADD CONSTRAINT few CHECK (touches < 1000)',
  );
  app = await environment.connect(stores);
  deadLetterQueue = new Queue(deadLetterQueueName, {
    connection: environment.redis,
    prefix: queuePrefix(environment.config.prefix),
  });
});

afterEach(async () => {
  await deadLetterQueue.close();
  await environment.close();
});

const put = (id: string, name = 'good') => app.stores.projects.put({ id, name });
const tooLong = 'x'.repeat(20);

function told<T extends EventType>(type: T): Extract<ForebayEvent, { type: T }>[] {
  return environment.events.filter(
    (event): event is Extract<ForebayEvent, { type: T }> => event.type === type,
  );
}

async function rows(): Promise<[string, string, number][]> {
  const found = await environment.prisma.project.findMany({ orderBy: { id: 'asc' } });
  return found.map(({ id, name, touches }) => [id, name, touches]);
}

async function failedJobs(count: number): Promise<DeadLetterJob[]> {
  const failed = () => deadLetterQueue.getFailed();
  await expect.poll(failed).toHaveLength(count);
  return (await failed()).map(({ data }) => data);
}

async function retryAll(): Promise<void> {
  for (const job of await deadLetterQueue.getFailed()) await job.retry();
}

/** As the first that ever writes these stores: so their lanes are as many as these definitions say. */
async function connectFirst<D extends Definitions>(own: Stores<D>): Promise<Forebay<D>> {
  await environment.redis.del(partitionsKey(environment.config.prefix));
  return environment.connect(own);
}

describe('a record that the database refuses delays only itself', () => {
  it('the rest of its batch lands, also what was written to the same rows', async () => {
    for (let i = 0; i < 500; i++) void put(`p${i}`, [77, 200, 499].includes(i) ? tooLong : 'good');
    await app.stores.projectTouches.add('p1', 5);
    await environment.startWorker(stores);
    await app.flush();
    const found = await rows();
    expect(found).toHaveLength(497);
    expect(found.find(([id]) => id === 'p1')).toEqual(['p1', 'good', 5]);
    expect(
      told('record.refused')
        .map(({ field, state }) => `${field} ${state}`)
        .sort(),
    ).toEqual(['projects:p200 23514', 'projects:p499 23514', 'projects:p77 23514']);
    expect(told('batch.failed')).toEqual([]);
    expect(await app.backlog()).toMatchObject({ dirty: 0, sealed: 0, dead: 3 });
  });

  it('costs less than 12 round trips more than a good batch', async () => {
    const own = defineStores({
      projects: record({ model: Project, counters: ['views', 'touches'], partitions: 1, minDelayMs: 5_000 }),
    });
    const client = await connectFirst(own);
    const good = Array.from({ length: 500 }, (_, i) => ({ id: `p${i}`, name: 'good' }));
    const trips = new RoundTrips(environment.prisma);
    await client.stores.projects.putMany(good);
    await environment.startWorker(own, {}, trips.database);
    await client.flush();
    const ofGood = trips.take();
    await client.stores.projects.putMany(
      good.map(({ id }, i) => ({ id, name: i % 200 === 9 ? tooLong : 'better' })),
    );
    await client.flush();
    expect(trips.take() - ofGood).toBeLessThan(12);
    expect(told('record.refused')).toHaveLength(3);
    expect((await rows()).filter(([, name]) => name === 'better')).toHaveLength(497);
  });

  it('is a failed job with the database’s error, the record and its version', async () => {
    const { version } = await put('p', tooLong);
    await environment.startWorker(stores);
    await app.flush();
    const [job] = await failedJobs(1);
    expect(job).toMatchObject({
      field: 'projects:p',
      error: { state: '23514', message: expect.stringContaining('short_name') },
      records: { 'projects:p': expect.stringMatching(new RegExp(`^P${version}\\|.*"name":"${tooLong}"`)) },
    });
    const [failed] = await deadLetterQueue.getFailed();
    expect(failed?.failedReason).toMatch(/^23514: .*short_name/);
  });

  it('readers see the database again', async () => {
    await put('p', 'first');
    await environment.startWorker(stores);
    await app.flush();
    await put('p', tooLong);
    expect(await app.stores.projects.get('p')).toMatchObject({ name: tooLong });
    await app.flush();
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'first' });
  });

  it('readers of its counters do, too', async () => {
    await put('p', tooLong);
    expect(await app.stores.projectTouches.get('p')).toBe(0);
    await environment.startWorker(stores);
    await app.flush();
    expect(await app.stores.projectTouches.get('p')).toBeNull();
  });

  it('its counters wait with it; one that is refused itself waits alone', async () => {
    await put('a', tooLong);
    await app.stores.projectTouches.add('a', 3);
    await put('b');
    await app.stores.projectTouches.add('b', 1_000);
    await environment.startWorker(stores);
    await app.flush();
    expect(await rows()).toEqual([['b', 'good', 0]]);
    expect((await failedJobs(2)).map(({ records }) => Object.keys(records).sort()).sort()).toEqual([
      ['projectTouches:a', 'projects:a'],
      ['projectTouches:b'],
    ]);
    expect(await app.stores.projectTouches.getMany(['a', 'b'])).toEqual([null, 0]);
  });

  it('one that breaks a unique index leaves the row that has the value', async () => {
    await app.stores.users.putMany([
      { id: 'a', email: 'same@example.invalid', name: 'a' },
      { id: 'b', email: 'other@example.invalid', name: 'b' },
    ]);
    await environment.startWorker(stores);
    await app.flush();
    await app.stores.users.put({ id: 'b', email: 'same@example.invalid', name: 'b' });
    await app.flush();
    expect(told('record.refused')).toMatchObject([{ field: 'users:b', state: '23505' }]);
  });

  it('in a batch of rows of a megabyte each', async () => {
    const own = defineStores({
      projects: record({ model: Project, counters: ['views', 'touches'], partitions: 1, delayMs: 1_000 }),
    });
    const client = await environment.connect(own);
    const description = '🌊'.repeat(260_000);
    const big = Array.from({ length: 6 }, (_, i) => ({
      id: `p${i}`,
      name: i === 3 ? tooLong : 'good',
      description,
    }));
    await client.stores.projects.putMany(big);
    await environment.startWorker(own);
    await client.flush();
    const landed = await environment.prisma.project.findMany({ where: { description } });
    expect(landed).toHaveLength(5);
    expect(told('record.refused')).toMatchObject([{ field: 'projects:p3' }]);
  });

  it('in a store with a persist of its own', async () => {
    const kept: string[] = [];
    const notes = record<{ id: string; text: string }, 'id'>({
      id: 'id',
      partitions: 1,
      load: async () => [],
      persist: async ({ puts }) => {
        if (puts.some(({ text }) => text === 'bad')) throw new Error('a bad note');
        kept.push(...puts.map(({ id }) => id));
      },
    });
    const own = defineStores({ notes });
    const client = await environment.connect(own);
    for (let i = 0; i < 50; i++)
      void client.stores.notes.put({ id: `n${i}`, text: i === 20 ? 'bad' : 'good' });
    await client.stores.notes.put({ id: 'last', text: 'good' });
    await environment.startWorker(own);
    await client.flush();
    expect(new Set(kept).size).toBe(50);
    expect(told('record.refused')).toMatchObject([{ field: 'notes:n20', state: '' }]);
  });
});

describe('a dead letter', () => {
  it('is replayed by the board’s retry, with the deltas that waited with it', async () => {
    await put('p', tooLong);
    await app.stores.projectTouches.add('p', 7);
    await environment.startWorker(stores);
    await app.flush();
    await failedJobs(1);
    await environment.prisma.$executeRawUnsafe('ALTER TABLE projects DROP CONSTRAINT short_name');
    await retryAll();
    await expect.poll(rows).toEqual([['p', tooLong, 7]]);
    expect(await app.backlog()).toMatchObject({ dead: 0 });
    expect(await app.stores.projectTouches.get('p')).toBe(7);
  });

  it('is a dead letter again when a replay is refused too', async () => {
    await put('p', tooLong);
    await environment.startWorker(stores);
    await app.flush();
    const [first] = await failedJobs(1);
    await retryAll();
    await expect.poll(() => told('record.refused').length).toBe(2);
    await expect.poll(async () => (await failedJobs(1))[0]?.at).not.toBe(first?.at);
  });

  it('is superseded by a newer write, which keeps the deltas that waited; its replay changes nothing', async () => {
    await put('p', tooLong);
    await app.stores.projectTouches.add('p', 7);
    await environment.startWorker(stores);
    await app.flush();
    await failedJobs(1);
    await put('p', 'newer');
    expect(await app.stores.projectTouches.get('p')).toBe(7);
    await app.flush();
    expect(await rows()).toEqual([['p', 'newer', 7]]);
    await retryAll();
    await expect.poll(() => deadLetterQueue.getCompletedCount()).toBe(1);
    await app.flush();
    expect(await rows()).toEqual([['p', 'newer', 7]]);
    expect(await app.backlog()).toMatchObject({ dead: 0 });
  });

  it('ends with a delete, and so do the deltas that waited', async () => {
    await put('p', tooLong);
    await app.stores.projectTouches.add('p', 7);
    await environment.startWorker(stores);
    await app.flush();
    await app.stores.projects.delete('p');
    await put('p', 'anew');
    await app.flush();
    expect(await rows()).toEqual([['p', 'anew', 0]]);
    expect(await app.backlog()).toMatchObject({ dead: 0 });
  });

  it('is listed, replayed and discarded by an app', async () => {
    for (const id of ['a', 'b', 'c']) await put(id, tooLong);
    await app.stores.users.put({ id: 'u', email: 'u@example.invalid', name: 'u' });
    await environment.startWorker(stores);
    await app.flush();
    await failedJobs(3);
    const letters: DeadLetter[] = [];
    for await (const letter of app.deadLetters.list({ store: 'projects' })) letters.push(letter);
    expect(letters.map(({ store, id, error }) => [store, id, error.state]).sort()).toEqual([
      ['projects', 'a', '23514'],
      ['projects', 'b', '23514'],
      ['projects', 'c', '23514'],
    ]);
    const a = letters.find(({ id }) => id === 'a') as DeadLetter;
    expect([await app.deadLetters.discard(a), await app.deadLetters.discard(a)]).toEqual([true, false]);
    await environment.prisma.$executeRawUnsafe('ALTER TABLE projects DROP CONSTRAINT short_name');
    expect(await app.deadLetters.replayAll()).toBe(2);
    await app.flush();
    expect(await rows()).toEqual([
      ['b', tooLong, 0],
      ['c', tooLong, 0],
    ]);
    await failedJobs(0);
    await expect(app.deadLetters.list({ store: 'nothing' }).next()).rejects.toMatchObject({
      code: 'UNKNOWN_STORE',
    });
  });

  it('is shown again when the queue has lost its jobs', async () => {
    await put('p', tooLong);
    const worker = await environment.startWorker(stores);
    await app.flush();
    await failedJobs(1);
    await worker.stop(5_000);
    await deadLetterQueue.obliterate({ force: true });
    await environment.startWorker(stores);
    await failedJobs(1);
  });
});

describe('a lane that is full of dead letters', () => {
  it('is held up and says so, and trims nothing; it goes on once there is room', async () => {
    const own = defineStores({
      projects: record({ model: Project, counters: ['views', 'touches'], partitions: 1, deadLettersMax: 1 }),
    });
    const client = await connectFirst(own);
    await client.stores.projects.put({ id: 'a', name: tooLong });
    await environment.startWorker(own);
    await client.flush();
    await client.stores.projects.put({ id: 'b', name: tooLong });
    await client.stores.projects.put({ id: 'c', name: 'good' });
    await expect.poll(() => told('batch.failed')).not.toEqual([]);
    expect(told('batch.failed')[0]).toMatchObject({
      reason: 'refused',
      error: { code: 'DEAD_LETTERS_FULL', message: expect.stringContaining('deadLettersMax') },
    });
    expect(await client.backlog()).toMatchObject({ dead: 1 });
    expect(await client.deadLetters.discardAll()).toBe(1);
    await client.flush();
    expect(await rows()).toEqual([['c', 'good', 0]]);
    expect(await client.backlog()).toMatchObject({ dead: 1 });
  });
});

describe('a record whose parent is not there', () => {
  const task = (id: string, projectId: string) => app.stores.tasks.put({ id, projectId, title: id });

  it('waits for it, while others of its lane land', async () => {
    for (let i = 0; i < 20; i++) void task(`lost${i}`, 'late');
    await put('there');
    for (let i = 0; i < 20; i++) void task(`t${i}`, 'there');
    await environment.startWorker(stores);
    await expect.poll(() => environment.prisma.task.count()).toBe(20);
    expect(await app.stores.tasks.get('lost3')).toMatchObject({ projectId: 'late' });
    expect(told('record.refused')).toEqual([]);
    await put('late');
    await app.flush();
    expect(await environment.prisma.task.count()).toBe(40);
  });

  it('keeps its counters while it waits, also when it was made anew', async () => {
    await put('there');
    await task('a', 'there');
    await app.stores.taskTouches.add('a', 1);
    await environment.startWorker(stores);
    await app.flush();
    await app.stores.tasks.delete('a');
    await task('a', 'late');
    await app.stores.taskTouches.add('a', 5);
    await expect.poll(() => told('batch.split').length).toBeGreaterThan(1);
    await app.stores.taskTouches.add('a', 2);
    await task('a', 'late');
    expect(await app.stores.taskTouches.get('a')).toBe(7);
    await put('late');
    await app.flush();
    expect(await environment.prisma.task.findMany()).toMatchObject([{ projectId: 'late', touches: 7 }]);
  });

  it('does not wait while nobody tries, as when the database is away', async () => {
    const worker = await environment.startWorker(stores);
    await task('lost', 'late');
    await expect.poll(() => told('batch.split').length).toBeGreaterThan(0);
    await worker.stop(5_000);
    const [waiting] = (await environment.redis.keys(`{${environment.config.prefix}:tasks/*}:waiting`)) as [
      string,
    ];
    const mark = (await environment.redis.hget(waiting, 'tasks:lost')) as string;
    const anHourAgo = `10 ${(Date.now() - 3_600_000) * 1_000}`;
    await environment.redis.hset(waiting, 'tasks:lost', mark.replace(/^\d+ \d+/, anHourAgo));
    const before = told('batch.split').length;
    await environment.startWorker(stores);
    await expect.poll(() => told('batch.split').length).toBeGreaterThan(before);
    expect(told('record.refused')).toEqual([]);
    await put('late');
    await app.flush();
    expect(await environment.prisma.task.count()).toBe(1);
  });

  it('becomes a dead letter when it has waited for too long', async () => {
    const patient = defineStores({
      tasks: record({ model: Task, counters: ['touches'], parentWaitMs: 100 }),
    });
    const client = await environment.connect(patient);
    await client.stores.tasks.put({ id: 'lost', projectId: 'never', title: 'lost' });
    await environment.startWorker(patient);
    await client.flush();
    expect(told('record.refused')).toMatchObject([{ field: 'tasks:lost', state: '23503' }]);
  });
});
