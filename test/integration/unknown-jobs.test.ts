/** Jobs that a worker can't do, in every queue: handed back when another worker may know them, else set aside; told once, and not tried again and again. */
import type { Job, Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import type { EventType } from '../../src/events.js';
import { DeadLetterQueue } from '../../src/queues/dead-letter-queue.js';
import { RefreshQueue } from '../../src/queues/refresh-queue.js';
import { ScheduleQueue } from '../../src/queues/schedule-queue.js';
import { WarmQueue } from '../../src/queues/warm-queue.js';
import { WriteBehindQueue } from '../../src/queues/write-behind-queue.js';
import { RefreshService } from '../../src/services/refresh/refresh.js';
import type { Service } from '../../src/services/role/service.js';
import { SchedulerService } from '../../src/services/scheduler/scheduler.js';
import { defineSchedules } from '../../src/services/scheduler/schedules.js';
import { WarmService } from '../../src/services/warm/warm.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const schedules = defineSchedules(stores, { nightly: { cron: '0 3 * * *', run: async () => undefined } });
const queueNames = ['write-behind', 'dead-letter', 'refresh', 'warm', 'schedules'] as const;
type QueueName = (typeof queueNames)[number];

/** Of another app or release. */
const strange: Record<QueueName, object> = {
  'write-behind': { lane: 'orders/0' },
  'dead-letter': {
    lane: 'orders/0',
    field: 'orders:1',
    at: '1',
    error: { state: '23514', message: 'no' },
    records: {},
  },
  refresh: { store: 'orders', id: '1', seen: 'x' },
  warm: { store: 'orders' },
  schedules: { schedule: 'hourly', run: 'hourly@1' },
};
const malformed: readonly unknown[] = [null, 7, 'text', [], {}, { lane: 1, store: null, schedule: {} }];

let environment: Environment;
let queues: Record<QueueName, { open(): Promise<Queue>; close(): Promise<void> }>;
let services: Service[];

beforeEach(async () => {
  environment = await createEnvironment();
  const { config, redis, prisma } = environment;
  const emit = (event: Environment['events'][number]): void => void environment.events.push(event);
  const place = [redis as never, config.prefix, emit] as const;
  queues = {
    'write-behind': new WriteBehindQueue(...place),
    'dead-letter': new DeadLetterQueue(...place),
    refresh: new RefreshQueue(...place),
    warm: new WarmQueue(...place),
    schedules: new ScheduleQueue(...place),
  };
  const options = { stores, prisma, config, emit };
  services = [
    new RefreshService(options),
    new WarmService(options),
    new SchedulerService({ ...options, schedules }),
  ];
});

afterEach(async () => {
  for (const service of services) await service.stop(5_000);
  for (const queue of Object.values(queues)) await queue.close();
  await environment.close();
});

async function start(): Promise<void> {
  await environment.startWorker(stores);
  for (const service of services) await service.start();
}

/** As their queue would add them: with many tries. A dead letter's job is in its second try when somebody retries it. */
const add = async (queue: QueueName, data: unknown): Promise<Job> =>
  (await queues[queue].open()).add('job', data, { attempts: 1_000, backoff: { type: 'custom' } });
const eventsOf = (type: EventType) => environment.events.filter((event) => event.type === type);
const fresh = async (queue: QueueName, { id }: Job): Promise<Job> =>
  (await (await queues[queue].open()).getJob(id as string)) as Job;

describe('a job that no worker can do', () => {
  it('is set aside after one try, and told of', async () => {
    const jobs = await Promise.all(
      queueNames.flatMap((queue) => malformed.map(async (data) => [queue, await add(queue, data)] as const)),
    );
    await start();
    for (const [, job] of jobs) await expect.poll(() => job.isFailed(), { timeout: 20_000 }).toBe(true);
    for (const [queue, job] of jobs) {
      expect(await fresh(queue, job)).toMatchObject({
        attemptsMade: 1,
        failedReason: expect.stringContaining('malformed'),
      });
    }
    const told = eventsOf('job.unknown');
    for (const queue of queueNames)
      expect(told).toContainEqual(expect.objectContaining({ queue, job: 'job', isSetAside: true }));
    // Once for each reason, whatever the number of jobs.
    const once = new Set(told.map((event) => JSON.stringify(event)));
    expect(told).toHaveLength(once.size);
    expect(eventsOf('job.failed')).toEqual([]);
  });

  it.each(queueNames.filter((queue) => queue !== 'dead-letter'))(
    'of another app, in %s, is handed back, told once, and set aside once nobody has known it for long',
    async (queue) => {
      const jobs = await Promise.all([add(queue, strange[queue]), add(queue, strange[queue])]);
      const old = await (await queues[queue].open()).add('job', strange[queue], {
        attempts: 1_000,
        timestamp: Date.now() - 3_600_000,
      });
      await start();
      for (const job of jobs) await expect.poll(() => job.isDelayed(), { timeout: 20_000 }).toBe(true);
      await expect.poll(() => old.isFailed()).toBe(true);
      const told = eventsOf('job.unknown');
      expect(told.filter((event) => 'isSetAside' in event && !event.isSetAside)).toHaveLength(1);
      expect(told.filter((event) => 'isSetAside' in event && event.isSetAside)).toHaveLength(1);
      expect(eventsOf('job.failed')).toEqual([]);
    },
  );
});

it('a standing job that was broken is made anew', async () => {
  await (await queues.schedules.open()).add('nightly', null, { jobId: 'nightly', delay: 60_000 });
  await start();
  const job = (await (await queues.schedules.open()).getJob('nightly')) as Job;
  expect(job.data).toMatchObject({ schedule: 'nightly', cron: '0 3 * * *' });
  expect(await job.isDelayed()).toBe(true);
});
