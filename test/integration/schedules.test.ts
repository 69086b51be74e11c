/** What is done at certain times. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheKey, cacheKeys } from '../../src/definitions/cache-key.js';
import { computed } from '../../src/definitions/computed.js';
import { defineStores } from '../../src/definitions/stores.js';
import type { EventType, ForebayEvent } from '../../src/events.js';
import { isStandingJob } from '../../src/queues/job-shapes.js';
import { ScheduleQueue, type StandingJob } from '../../src/queues/schedule-queue.js';
import { WarmQueue } from '../../src/queues/warm-queue.js';
import { SchedulerService } from '../../src/services/scheduler/scheduler.js';
import { defineSchedules, type Schedules } from '../../src/services/scheduler/schedules.js';
import { WarmService } from '../../src/services/warm/warm.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { patient } from '../support/patient.js';

const Keys = cacheKeys('planned', { report: cacheKey<string>(60) });
const stores = defineStores({
  reports: computed({
    key: Keys.report,
    warm: { list: async () => ['1', '2'] },
    load: async (ids) => new Map(ids.map((id) => [id, `report ${id}`])),
  }),
});

const yearly = '0 3 1 1 *';
const everySecond = '* * * * * *';

let environment: Environment;
let queue: ScheduleQueue;
let warmQueue: WarmQueue;
let started: { stop(deadlineMs: number): Promise<void> }[];

beforeEach(async () => {
  environment = await createEnvironment();
  const { redis, config } = environment;
  queue = new ScheduleQueue(redis as never, config.prefix, () => undefined);
  warmQueue = new WarmQueue(redis as never, config.prefix, () => undefined);
  started = [];
});

afterEach(async () => {
  for (const service of started.reverse()) await service.stop(5_000);
  await queue.close();
  await warmQueue.close();
  await environment.close();
});

async function startScheduler(schedules: Schedules): Promise<SchedulerService> {
  const { prisma, config, events } = environment;
  const emit = (event: ForebayEvent): void => void events.push(event);
  const service = new SchedulerService({ stores, schedules, prisma, config, emit });
  await service.start();
  started.push(service);
  return service;
}

async function startWarmWorker(): Promise<void> {
  const { prisma, config, events } = environment;
  const service = new WarmService({ stores, prisma, config, emit: (event) => void events.push(event) });
  await service.start();
  started.push(service);
}

function eventsOf<T extends EventType>(type: T): Extract<ForebayEvent, { type: T }>[] {
  return environment.events.filter(
    (event): event is Extract<ForebayEvent, { type: T }> => event.type === type,
  );
}

const standing = async (name: string) => (await queue.standing(name))?.data;

/** Jobs that runs of functions have left. */
async function runs(): Promise<string[]> {
  const jobs = await (await queue.open()).getJobs(['completed', 'active', 'waiting', 'failed']);
  return jobs.filter(({ data }) => !isStandingJob(data)).map(({ id }) => id as string);
}

/** Has a scheduler of another release, which does not know the schedule, hold its due job. */
async function holdByAnother(schedule: string, tick: Date): Promise<void> {
  const other = await startScheduler(defineSchedules(stores, {}));
  await standSince(schedule, tick);
  await expect.poll(async () => (await queue.standing(schedule))?.isDelayed()).toBe(true);
  await other.stop(5_000);
}

/** Leaves a standing job as a scheduler would that ended before this tick. */
async function standSince(schedule: string, tick: Date): Promise<void> {
  const job: StandingJob = {
    schedule,
    cron: yearly,
    timeZone: 'UTC',
    what: 'a function',
    next: tick.toISOString(),
  };
  await queue.stand(job, 0);
}

/** A function that counts its runs. */
function counted(): { readonly run: () => Promise<number>; count: number } {
  const counter = {
    count: 0,
    run: async () => {
      counter.count += 1;
      return counter.count;
    },
  };
  return counter;
}

describe('C4 a tick', () => {
  it('runs the function once, in a job named after the schedule and the tick', async () => {
    const work = counted();
    const schedules = defineSchedules(stores, { often: { cron: everySecond, run: work.run } });
    await startScheduler(schedules);
    await startScheduler(schedules);
    await expect.poll(() => work.count).toBeGreaterThanOrEqual(3);
    for (const service of started.splice(0)) await service.stop(5_000);
    const ids = await runs();
    expect(ids).toHaveLength(work.count);
    for (const id of ids) expect(id).toMatch(/^often@\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\dZ$/);
  });

  it('warms a store: in a job of the warm queue', async () => {
    const schedules = defineSchedules(stores, { warming: { cron: everySecond, warm: 'reports' } });
    await startWarmWorker();
    await startScheduler(schedules);
    await expect.poll(async () => (await warmQueue.open()).getCompletedCount()).toBeGreaterThanOrEqual(2);
    const [job] = await (await warmQueue.open()).getCompleted();
    expect(job).toMatchObject({ name: 'warm reports', returnvalue: { store: 'reports' } });
    expect(job?.id).toMatch(/^warming@/);
  });

  it('has no run while the one before still goes on, and that is told', async () => {
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let [running, most] = [0, 0];
    const run = async () => {
      running += 1;
      most = Math.max(most, running);
      await held;
      running -= 1;
    };
    await startScheduler(defineSchedules(stores, { slow: { cron: everySecond, run } }));
    await expect.poll(() => eventsOf('schedule.skipped').length).toBeGreaterThanOrEqual(2);
    const [skipped] = eventsOf('schedule.skipped');
    expect(await runs()).toEqual([skipped?.running]);
    letGo();
    expect(most).toBe(1);
  });

  it('is run once, as itself, though a scheduler of another release had its job', async () => {
    const work = counted();
    const tick = new Date(Date.now() - 1_000);
    await holdByAnother('nightly', tick);
    const schedules = defineSchedules(stores, { nightly: { cron: yearly, run: work.run } });
    await startScheduler(schedules);
    await expect.poll(runs, { timeout: patient(10_000) }).toHaveLength(1);
    expect(await runs()).toEqual([`nightly@${tick.toISOString().replaceAll(':', '.')}`]);
    await expect.poll(() => work.count).toBe(1);
  });

  it('is tried three times when its function fails, and then says why', async () => {
    let calls = 0;
    const run = async () => {
      calls += 1;
      throw new Error('not tonight');
    };
    await startScheduler(defineSchedules(stores, { failing: { cron: yearly, run } }));
    await (await queue.standing('failing'))?.promote();
    await expect.poll(async () => (await queue.open()).getFailedCount()).toBe(1);
    expect(calls).toBe(3);
    expect((await (await queue.open()).getFailed())[0]).toMatchObject({ failedReason: 'not tonight' });
  });
});

describe('C4 ticks that were missed, as no scheduler was there', () => {
  const tick = new Date(Date.now() - 3 * 86_400_000);

  it('are caught up by one run', async () => {
    const work = counted();
    await standSince('nightly', tick);
    await startScheduler(defineSchedules(stores, { nightly: { cron: yearly, run: work.run } }));
    await expect.poll(() => work.count).toBe(1);
    expect(eventsOf('schedule.missed')).toMatchObject([{ schedule: 'nightly', isRun: true }]);
    await expect.poll(async () => (await standing('nightly'))?.last?.job).toBe((await runs())[0]);
    expect((await standing('nightly'))?.next).toMatch(/-01-01T03:00:00.000Z$/);
  });

  it('are left out where that is wanted', async () => {
    const work = counted();
    await standSince('nightly', tick);
    await startScheduler(
      defineSchedules(stores, { nightly: { cron: yearly, missed: 'skip', run: work.run } }),
    );
    await expect.poll(() => eventsOf('schedule.missed')).toMatchObject([{ isRun: false }]);
    await expect.poll(async () => (await standing('nightly'))?.next).toMatch(/-01-01T03:00:00.000Z$/);
    expect(work.count).toBe(0);
  });

  it('are left out, too, when a scheduler of another release had the job', async () => {
    const work = counted();
    await holdByAnother('nightly', tick);
    await startScheduler(
      defineSchedules(stores, { nightly: { cron: yearly, missed: 'skip', run: work.run } }),
    );
    const timeout = patient(10_000);
    await expect
      .poll(() => eventsOf('schedule.missed'), { timeout })
      .toMatchObject([{ tick: tick.toISOString(), isRun: false }]);
    await expect.poll(async () => (await standing('nightly'))?.next).toMatch(/-01-01T03:00:00.000Z$/);
    expect(work.count).toBe(0);
  });
});

describe('C5 a schedule on the board', () => {
  it('is a job that waits for the next tick, in the schedule’s time zone', async () => {
    const run = async () => undefined;
    await startScheduler(
      defineSchedules(stores, {
        yearly: { cron: yearly, timeZone: 'Asia/Tokyo', run },
        warming: { cron: yearly, warm: 'reports' },
      }),
    );
    expect(await (await queue.open()).getDelayedCount()).toBe(2);
    expect(await standing('yearly')).toMatchObject({
      schedule: 'yearly',
      what: 'a function',
      cron: yearly,
      timeZone: 'Asia/Tokyo',
      next: expect.stringMatching(/-12-31T18:00:00.000Z$/),
    });
    expect(await standing('warming')).toMatchObject({ what: 'warm reports' });
  });

  it('is run by hand when the job is promoted, and waits for the same tick afterwards', async () => {
    const work = counted();
    await startScheduler(defineSchedules(stores, { yearly: { cron: yearly, run: work.run } }));
    const { next } = (await standing('yearly')) as StandingJob;
    await (await queue.standing('yearly'))?.promote();
    await expect.poll(() => work.count).toBe(1);
    await expect.poll(async () => (await queue.standing('yearly'))?.isDelayed()).toBe(true);
    expect(await standing('yearly')).toMatchObject({
      next,
      last: { job: expect.stringMatching(/-by-hand$/) },
    });
    expect((await runs())[0]).toMatch(/^yearly@.*-by-hand$/);
  });

  it('follows its definition: changed, gone, and lost by the queue', async () => {
    const run = async () => undefined;
    const first = await startScheduler(
      defineSchedules(stores, { stays: { cron: yearly, run }, goes: { cron: yearly, run } }),
    );
    await first.stop(5_000);
    await startScheduler(
      defineSchedules(stores, { stays: { cron: '0 5 2 2 *', run }, often: { cron: everySecond, run } }),
    );
    expect(await standing('stays')).toMatchObject({ next: expect.stringMatching(/-02-02T05:00:00.000Z$/) });
    expect(await standing('goes')).toBeUndefined();
    await (await queue.open()).obliterate({ force: true });
    await expect.poll(() => standing('often')).toBeDefined();
  });
});

describe('a scheduler that stops', () => {
  it('aborts its functions, and another runs them again', async () => {
    let starts = 0;
    const schedules = defineSchedules(stores, {
      long: {
        cron: yearly,
        run: ({ signal, progress }) =>
          new Promise<string>((resolve, reject) => {
            starts += 1;
            void progress(1, 2);
            signal.addEventListener('abort', () => reject(signal.reason));
            if (starts === 2) resolve('done');
          }),
      },
    });
    const first = await startScheduler(schedules);
    await (await queue.standing('long'))?.promote();
    await expect.poll(() => starts).toBe(1);
    await first.stop(5_000);
    await startScheduler(schedules);
    await expect.poll(async () => (await (await queue.open()).getCompleted())[0]?.returnvalue).toBe('done');
    expect(starts).toBe(2);
  });
});
