/** The life of every role: started once, stopped at any time and any number of times, with no connection left. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import { BoardService } from '../../src/board/board.js';
import { RefreshService } from '../../src/services/refresh/refresh.js';
import type { Service } from '../../src/services/role/service.js';
import { SchedulerService } from '../../src/services/scheduler/scheduler.js';
import { defineSchedules } from '../../src/services/scheduler/schedules.js';
import { WarmService } from '../../src/services/warm/warm.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';

const schedules = defineSchedules(stores, { nightly: { cron: '0 3 * * *', run: async () => undefined } });

let environment: Environment;
let redis: OwnRedis;

beforeAll(async () => {
  [environment, redis] = await Promise.all([createEnvironment(), startOwnRedis()]);
});

afterAll(async () => {
  await environment.close();
  await redis.remove();
});

const optionsOf = () => ({
  stores,
  schedules,
  prisma: environment.prisma,
  config: {
    ...environment.config,
    redis: redis.settings,
    queueRedis: redis.settings,
    board: { host: '127.0.0.1', port: 0 },
  },
  emit: (event: Environment['events'][number]): void => void environment.events.push(event),
});
const roles: Record<string, () => Service> = {
  'write-behind': () => new WriteBehindService(optionsOf()),
  refresh: () => new RefreshService(optionsOf()),
  warm: () => new WarmService(optionsOf()),
  scheduler: () => new SchedulerService(optionsOf()),
  board: () => new BoardService(optionsOf()),
};

/** The test's own is left. */
async function expectNoConnections(): Promise<void> {
  const count = async () =>
    String(await redis.admin.client('LIST'))
      .trim()
      .split('\n').length;
  await expect.poll(count).toBe(1);
}

describe.each(Object.entries(roles))('%s', (_, create) => {
  it('is started once, and stopped as often as one likes', async () => {
    const service = create();
    await service.start();
    await expect(service.start()).rejects.toMatchObject({ name: 'ForebayError', code: 'ALREADY_STARTED' });
    await Promise.all([service.stop(5_000), service.stop(5_000)]);
    await service.stop(5_000);
    await expectNoConnections();
  });

  it('is not started when it was stopped before', async () => {
    const service = create();
    await service.stop(5_000);
    await expect(service.start()).rejects.toMatchObject({ code: 'CLOSED' });
    await expectNoConnections();
  });

  it('that is stopped while it starts leaves nothing', async () => {
    for (const turns of [0, 1, 5, 20]) {
      const service = create();
      const starting = service.start().then(
        () => 'started',
        (error: unknown) => error,
      );
      for (let turn = 0; turn < turns; turn++) await redis.admin.ping();
      await service.stop(5_000);
      const end = await starting;
      if (end !== 'started') expect(end).toMatchObject({ name: 'ForebayError', code: 'CLOSED' });
      await expectNoConnections();
    }
    expect(environment.events.filter(({ type }) => type === 'close.failed')).toEqual([]);
  });
});
