/** Three schedulers, whose schedule ticks each second, and four workers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WarmQueue } from '../../src/queues/warm-queue.js';
import { WarmService } from '../../src/services/warm/warm.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.js';
import { stores } from '../support/tick-stores.js';

let environment: Environment;
let queue: WarmQueue;
let schedulers: ServiceProcess<never>[];
let workers: WarmService[];

beforeAll(async () => {
  environment = await createEnvironment();
  const { prisma, config, redis, events } = environment;
  queue = new WarmQueue(redis as never, config.prefix, () => undefined);
  workers = Array.from(
    { length: 4 },
    () => new WarmService({ stores, prisma, config, emit: (event) => void events.push(event) }),
  );
  await Promise.all(workers.map((worker) => worker.start()));
  schedulers = await Promise.all([1, 2, 3].map(() => startScheduler()));
});

afterAll(async () => {
  for (const scheduler of schedulers) await scheduler.kill();
  for (const worker of workers) await worker.stop(5_000);
  await queue.close();
  await environment.close();
});

const startScheduler = () => startServiceProcess(environment, 'tick-scheduler.ts');

const tickId = /^ticking@\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\dZ$/;

/** The ticks whose runs are done, in order. */
async function ticksDone(): Promise<string[]> {
  const jobs = await (await queue.open()).getCompleted();
  return jobs.map(({ id }) => id as string).sort();
}

/** Each run has left a row. */
async function runsDone(): Promise<number> {
  const active = await (await queue.open()).getJobCountByTypes('active', 'waiting');
  return active > 0 ? -1 : environment.prisma.client.count();
}

async function untilTicked(count: number): Promise<string[]> {
  await expect.poll(async () => (await ticksDone()).length).toBeGreaterThanOrEqual(count);
  return ticksDone();
}

describe('C4 schedulers', () => {
  it('of any number run each tick once', async () => {
    const ticks = await untilTicked(10);
    for (const tick of ticks) expect(tick).toMatch(tickId);
    await expect.poll(async () => (await runsDone()) - (await ticksDone()).length).toBe(0);
  });

  it('that are all killed double no tick when one is started', async () => {
    for (const scheduler of schedulers) await scheduler.kill();
    const before = await ticksDone();
    schedulers = [await startScheduler()];
    const ticks = await untilTicked(before.length + 3);
    expect(new Set(ticks).size).toBe(ticks.length);
    for (const tick of ticks) expect(tick).toMatch(tickId);
    await expect.poll(async () => (await runsDone()) - (await ticksDone()).length).toBe(0);
  });

  it('that pause for longer than a job’s lock, and go on, double no tick', async () => {
    const paused = schedulers[0] as ServiceProcess<never>;
    schedulers.push(await startScheduler());
    process.kill(paused.pid, 'SIGSTOP');
    await untilTicked((await ticksDone()).length + 12);
    process.kill(paused.pid, 'SIGCONT');
    const ticks = await untilTicked((await ticksDone()).length + 3);
    expect(new Set(ticks).size).toBe(ticks.length);
    for (const tick of ticks) expect(tick).toMatch(tickId);
    await expect.poll(async () => (await runsDone()) - (await ticksDone()).length).toBe(0);
  });
});
