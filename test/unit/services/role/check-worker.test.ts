/** What workers can't use is refused by name and with a code, before anything is opened. */
import { describe, expect, it } from 'vitest';
import { Project } from '../../../../examples/platform/generated/models.js';
import { readConfig } from '../../../../src/config.js';
import { record } from '../../../../src/definitions/record.js';
import { defineStores } from '../../../../src/definitions/stores.js';
import { ChangesService } from '../../../../src/services/changes/changes.js';
import { RefreshService } from '../../../../src/services/refresh/refresh.js';
import { SchedulerService } from '../../../../src/services/scheduler/scheduler.js';
import { defineSchedules } from '../../../../src/services/scheduler/schedules.js';
import { WarmService } from '../../../../src/services/warm/warm.js';
import { WriteBehindService } from '../../../../src/services/write-behind/write-behind.js';

const stores = defineStores({ projects: record({ model: Project }) });
const good = {
  stores,
  prisma: { $queryRawUnsafe: async () => [] },
  config: readConfig({}),
  emit: () => undefined,
};
const workers = [ChangesService, RefreshService, SchedulerService, WarmService, WriteBehindService];

describe.each(workers.map((worker) => [worker.name, worker] as const))('a %s', (_, Worker) => {
  const make = (options: unknown) => () => new Worker(options as never);

  it('is made of what it needs', () => {
    expect(make(good)).not.toThrow();
  });

  it.each([
    ['nothing', undefined, /options/],
    ['no stores', { ...good, stores: undefined }, /stores/],
    [
      'definitions that are no stores',
      { ...good, stores: { projects: record({ model: Project }) } },
      /stores/,
    ],
    ['no Prisma client', { ...good, prisma: undefined }, /prisma/],
    ['no configuration', { ...good, config: undefined }, /config/],
    ['a prefix with a brace', { ...good, config: { ...good.config, prefix: 'a}b' } }, /prefix/],
    ['nobody to tell', { ...good, emit: undefined }, /emit/],
  ])('refuses %s', (_case, options, named) => {
    expect(make(options)).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/^INVALID_(VALUE|CONFIG)$/),
        message: expect.stringMatching(named),
      }),
    );
  });
});

it.each([
  ['no stores', undefined, {}],
  ['no schedules', stores, undefined],
  ['a schedule that is none', stores, { nightly: undefined }],
  ['a time that is no text', stores, { nightly: { cron: 5, run: async () => 1 } }],
])('defineSchedules refuses %s', (_, given, schedules) => {
  expect(() => defineSchedules(given as never, schedules as never)).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^INVALID_(VALUE|DEFINITION)$/) }),
  );
});
