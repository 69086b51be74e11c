import { describe, expect, it } from 'vitest';
import { schedules as platform } from '../../../../examples/platform/schedules.js';
import { cacheKey, cacheKeys } from '../../../../src/definitions/cache-key.js';
import { computed } from '../../../../src/definitions/computed.js';
import { defineStores } from '../../../../src/definitions/stores.js';
import { defineSchedules } from '../../../../src/services/scheduler/schedules.js';

const Keys = cacheKeys('scheduled', { report: cacheKey<string>(60) });
const load = async () => new Map();
const stores = defineStores({
  reports: computed({ key: Keys.report, warm: { list: async () => [] }, load }),
  cold: computed({ key: Keys.report, load }),
});

const messageOf = (schedules: object): string => {
  try {
    defineSchedules(stores, schedules as never);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('defineSchedules', () => {
  it('completes the options', () => {
    const schedules = defineSchedules(stores, { nightly: { cron: '0 3 * * *', warm: 'reports' } });
    expect([...schedules.values()]).toEqual([
      { name: 'nightly', cron: '0 3 * * *', timeZone: 'UTC', missed: 'run', what: { warm: 'reports' } },
    ]);
  });

  it.each([
    ['0 3 * *', '"0 3 * *" can\'t be its time: expression: expected 5 or 6 fields but got 4'],
    ['61 * * * *', '"61 * * * *" can\'t be its time: minute:'],
    ['0 0 31 2 *', 'dayOfMonth: '],
    ['', "can't be its time"],
  ])('refuses the expression "%s", and says which part of it is wrong', (cron, message) => {
    expect(messageOf({ nightly: { cron, warm: 'reports' } })).toContain(message);
  });

  it.each([
    ['a time zone that is none', { timeZone: 'Mars/Olympus' }, '"Mars/Olympus" is no time zone'],
    ['another word for missed ticks', { missed: 'maybe' }, 'missed must be one of run, skip, not maybe'],
    ['a store that can’t be warmed', { warm: 'cold' }, '"cold" is no computed store with the option "warm"'],
    ['a store and a function', { run: load }, 'give it either a store to warm or a function to run'],
  ])('refuses %s', (_what, options, message) => {
    expect(messageOf({ nightly: { cron: '0 3 * * *', warm: 'reports', ...options } })).toContain(message);
  });

  it('refuses a schedule that does nothing, and a name that can’t be part of a job’s id', () => {
    expect(messageOf({ nightly: { cron: '0 3 * * *' } })).toContain('give it either');
    expect(messageOf({ 'a:b': { cron: '0 3 * * *', warm: 'reports' } })).toContain(
      "can't be a schedule's name",
    );
  });

  it('tells all problems at once', () => {
    const message = messageOf({
      one: { cron: 'x', warm: 'reports' },
      two: { cron: '0 3 * * *', warm: 'none' },
    });
    expect(message).toContain('one: ');
    expect(message).toContain('two: ');
  });
});

it('W the platform warms users, projects, dashboards and its statistics, and cleans up at night', () => {
  expect(
    [...platform.values()].map(({ what }) => ('warm' in what ? what.warm : 'a function')).sort(),
  ).toEqual(['a function', 'dashboards', 'platformStatistics', 'profiles', 'projectDetails']);
});
