import { Worker } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import { stores } from '../../examples/platform/stores.js';
import { Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { fieldOf, queuePrefix } from '../../src/keys.js';
import { writeBehindQueueName } from '../../src/queues/write-behind-queue.js';
import { drained } from '../support/drained.js';
import { createEnvironment, type Environment, removeKeys } from '../support/environment.js';
import { startOwnRedis } from '../support/own-redis.js';
import { Traffic } from '../support/traffic.js';

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

/** [FB-WAKE] */
describe('a lane is flushed though its wake-up is lost', () => {
  it('every job of the queue is lost', async () => {
    const app = await environment.connect(stores);
    const traffic = new Traffic(app);
    await traffic.round(100);
    await app.close();
    await removeKeys(environment.redis, queuePrefix(environment.config.prefix));
    await environment.startWorker(stores);
    const other = await environment.connect(stores);
    await drained(other);
    await traffic.expectExact(environment.prisma);
    expect(environment.events.filter((event) => event.type === 'lane.woken').length).toBeGreaterThan(0);
  });

  it('the app dies between the write and its wake-up job', async () => {
    const project = stores.byName.get('projects');
    if (project?.kind !== 'record') throw new Error('projects is a record store');
    const lanes = new Lanes(stores, environment.config.prefix);
    const buffer = new WriteBuffer(environment.redis, environment.config.prefix);
    const { wake } = await buffer.write(lanes.of(project.group, 'p1'), [
      {
        op: 'put',
        field: fieldOf('projects', 'p1'),
        payload: project.rows.encode({ id: 'p1', name: 'left behind' }),
      },
    ]);
    expect(wake).toBe(true);
    await environment.startWorker(stores);
    const app = await environment.connect(stores);
    await drained(app);
    expect(await environment.prisma.project.findUnique({ where: { id: 'p1' } })).toMatchObject({
      name: 'left behind',
    });
  });

  it('the queue counts the job of a flush to a worker that is gone: the flush waits for neither that nor the delay', async () => {
    const { prefix } = environment.config;
    const projects = record({ model: Project, counters: ['touches'], partitions: 1, minDelayMs: 60_000 });
    const app = await environment.connect(defineStores({ projects }));
    const gone = new Worker(writeBehindQueueName, null, {
      connection: environment.redis.duplicate({ maxRetriesPerRequest: null }),
      prefix: queuePrefix(prefix),
      lockDuration: 300_000,
    });
    await app.stores.projects.put({ id: 'p3', name: 'waited for' });
    const flushed = app.flush();
    await expect.poll(async () => (await gone.getNextJob('gone'))?.name).toBe('hurry projects/0');
    await environment.startWorker(defineStores({ projects }));
    await flushed;
    expect(await environment.prisma.project.count()).toBe(1);
    await gone.close();
  });

  it('the queue’s own Redis is flushed', async () => {
    const queueServer = await startOwnRedis();
    const config = { ...environment.config, queueRedis: queueServer.settings };
    const app = await environment.connect(stores, { config });
    const traffic = new Traffic(app);
    await environment.startWorker(stores, {}, undefined, config);
    for (let round = 0; round < 5; round++) {
      await Promise.all([traffic.round(100), queueServer.admin.flushall()]);
    }
    await drained(app);
    await traffic.expectExact(environment.prisma);
    await queueServer.remove();
  });

  it('the queue’s own Redis goes away, and stays away', async () => {
    const queueServer = await startOwnRedis();
    const config = { ...environment.config, queueRedis: queueServer.settings };
    const app = await environment.connect(stores, { config });
    const traffic = new Traffic(app);
    await environment.startWorker(stores, {}, undefined, config);
    await traffic.round(100);
    await queueServer.remove();
    await traffic.round(100);
    await drained(app);
    await traffic.expectExact(environment.prisma);
  });

  it('the queue refuses the job: the write is accepted all the same, and the loss is told', async () => {
    const app = await environment.connect(stores, {
      config: { ...environment.config, queueRedis: environment.config.redis },
    });
    await environment.redis.set(`${queuePrefix(environment.config.prefix)}:write-behind:meta`, 'not a hash');
    await app.stores.projects.put({ id: 'p2', name: 'no job' });
    await expect.poll(() => environment.events.some((event) => event.type === 'wake.failed')).toBe(true);
    await environment.redis.del(`${queuePrefix(environment.config.prefix)}:write-behind:meta`);
    await environment.startWorker(stores);
    await drained(app);
    expect(await environment.prisma.project.count()).toBe(1);
  });
});
