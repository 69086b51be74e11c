/** Ticks on the days when clocks change. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheKey, cacheKeys } from '../../../../src/definitions/cache-key.js';
import { computed } from '../../../../src/definitions/computed.js';
import { defineStores } from '../../../../src/definitions/stores.js';
import { CronTasks } from '../../../../src/services/scheduler/cron-tasks.js';
import { defineSchedules } from '../../../../src/services/scheduler/schedules.js';
import { Ticks } from '../../../../src/services/scheduler/ticks.js';
import { type Minute, minutesOf, type PlainPattern, ticksOf } from '../../../support/wall-oracle.js';

const Keys = cacheKeys('ticks', { value: cacheKey<string>(60) });
const stores = defineStores({
  values: computed({ key: Keys.value, warm: { list: async () => [] }, load: async () => new Map() }),
});

/** Of a schedule, all ticks later than `from` and before `until`. */
function ticksBetween(
  { cron, timeZone }: { cron: string; timeZone: string },
  from: Date,
  until: Date,
): string[] {
  const ticks = new Ticks(cron, timeZone);
  const found: string[] = [];
  for (let tick = ticks.after(from); tick && tick < until; tick = ticks.after(tick))
    found.push(tick.toISOString());
  ticks.close();
  return found;
}

const minutesFrom = (from: string, stepMinutes: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) =>
    new Date(Date.parse(from) + index * stepMinutes * 60_000).toISOString(),
  );

describe('C4 a time of the day that the clock leaves out', () => {
  it.each([
    ['in Berlin', '30 2 * * *', 'Europe/Berlin', '2027-03-28', '2027-03-28T01:00:00.000Z'],
    [
      'in Berlin, several times',
      '0,20,40 2 * * *',
      'Europe/Berlin',
      '2027-03-28',
      '2027-03-28T01:00:00.000Z',
    ],
    [
      'in Berlin, with seconds',
      '10,20 30 2 * * *',
      'Europe/Berlin',
      '2027-03-28',
      '2027-03-28T01:00:00.000Z',
    ],
    ['in New York', '59 2 14 3 *', 'America/New_York', '2027-03-14', '2027-03-14T07:00:00.000Z'],
    [
      'on Lord Howe, half an hour',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2027-10-03',
      '2027-10-02T15:30:00.000Z',
    ],
    ['in Santiago, at midnight', '0 0 * * *', 'America/Santiago', '2027-09-05', '2027-09-05T04:00:00.000Z'],
    [
      'in Santiago, at midnight of the date',
      '@daily',
      'America/Santiago',
      '2027-09-05',
      '2027-09-05T04:00:00.000Z',
    ],
  ])('has its tick once, right after: %s', (_where, cron, timeZone, day, tick) => {
    const middle = Date.parse(`${day}T03:00:00Z`);
    const [from, until] = [new Date(middle - 15 * 3_600_000), new Date(middle + 9 * 3_600_000)];
    expect(ticksBetween({ cron, timeZone }, from, until)).toEqual([tick]);
  });

  it('has one tick with a time that is the next to be shown', () => {
    const [from, until] = [new Date('2027-03-27T22:00:00Z'), new Date('2027-03-28T06:00:00Z')];
    expect(ticksBetween({ cron: '0 2,3,4 * * *', timeZone: 'Europe/Berlin' }, from, until)).toEqual([
      '2027-03-28T01:00:00.000Z',
      '2027-03-28T02:00:00.000Z',
    ]);
  });
});

describe('C4 a time of the day that the clock shows twice', () => {
  it.each([
    ['in Berlin', '30 2 * * *', 'Europe/Berlin', '2027-10-31T00:30:00.000Z'],
    ['in New York', '30 1 * * *', 'America/New_York', '2027-11-07T05:30:00.000Z'],
    ['on Lord Howe', '45 1 * * *', 'Australia/Lord_Howe', '2027-04-03T14:45:00.000Z'],
    ['in Santiago, the evening before', '30 23 * * *', 'America/Santiago', '2027-04-04T02:30:00.000Z'],
  ])('has its tick once, the first time: %s', (_where, cron, timeZone, tick) => {
    const [from, until] = [-12, 12].map((hours) => new Date(Date.parse(tick) + hours * 3_600_000));
    expect(ticksBetween({ cron, timeZone }, from as Date, until as Date)).toEqual([tick]);
  });

  it('has none at the second time for a scheduler that starts in between', () => {
    const ticks = new Ticks('30 2 * * *', 'Europe/Berlin');
    expect(ticks.after(new Date('2027-10-31T00:30:00.000Z'))?.toISOString()).toBe('2027-11-01T01:30:00.000Z');
    expect(ticks.after(new Date('2027-10-31T00:59:59.999Z'))?.toISOString()).toBe('2027-11-01T01:30:00.000Z');
    expect(ticks.after(new Date('2027-10-31T01:10:00.000Z'))?.toISOString()).toBe('2027-11-01T01:30:00.000Z');
    ticks.close();
  });
});

describe('C4 a pattern with a wildcard', () => {
  it.each([
    ['*/15 * * * *', 'Europe/Berlin', '2027-10-30T22:15:00.000Z', 15],
    ['*/15 * * * *', 'Europe/Berlin', '2027-03-27T22:15:00.000Z', 15],
    ['0 * * * *', 'America/New_York', '2027-11-07T03:00:00.000Z', 60],
    ['@hourly', 'America/New_York', '2027-11-07T03:00:00.000Z', 60],
    ['0 * * * *', 'America/Santiago', '2027-04-04T01:00:00.000Z', 60],
    ['*/30 * * * *', 'Australia/Lord_Howe', '2027-04-03T10:00:00.000Z', 30],
  ])('ticks at every interval of real time: %s in %s', (cron, timeZone, first, step) => {
    const expected = minutesFrom(first, step, 30);
    const from = new Date(Date.parse(first) - 1);
    const until = new Date(Date.parse(expected.at(-1) as string) + 1);
    expect(ticksBetween({ cron, timeZone }, from, until)).toEqual(expected);
  });

  it('of seconds and none of minutes or hours keeps to the time of the day', () => {
    const [from, until] = [new Date('2027-10-30T22:00:00Z'), new Date('2027-10-31T12:00:00Z')];
    expect(ticksBetween({ cron: '*/30 30 2 * * *', timeZone: 'Europe/Berlin' }, from, until)).toEqual([
      '2027-10-31T00:30:00.000Z',
      '2027-10-31T00:30:30.000Z',
    ]);
  });
});

it('C4 a pattern that is due once in many years is found, one that never is has no tick', () => {
  const rare = new Ticks('0 0 29 2 1', 'UTC');
  expect(rare.after(new Date('2072-03-01T00:00:00Z'))?.toISOString()).toBe('2112-02-29T00:00:00.000Z');
  const never = new Ticks('0 0 29 2 1#1', 'UTC');
  expect(never.after(new Date('2027-01-01T00:00:00Z'))).toBeUndefined();
  for (const ticks of [rare, never]) ticks.close();
});

const changes = [
  ['Europe/Berlin', '2027-03-28'],
  ['Europe/Berlin', '2027-10-31'],
  ['America/New_York', '2027-03-14'],
  ['America/New_York', '2027-11-07'],
  ['Australia/Lord_Howe', '2027-10-03'],
  ['Australia/Lord_Howe', '2027-04-04'],
  ['America/Santiago', '2027-09-05'],
  ['America/Santiago', '2027-04-04'],
  ['UTC', '2027-03-28'],
] as const;

interface PlainField {
  readonly text: string;
  readonly values: readonly number[];
  readonly isWildcard: boolean;
}

const upTo = (min: number, max: number): number[] =>
  Array.from({ length: max - min + 1 }, (_, at) => min + at);

/** Values one by one. */
const list = (min: number, max: number): fc.Arbitrary<PlainField> =>
  fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 4 }).map((values) => ({
    text: values.join(','),
    values,
    isWildcard: false,
  }));

/** A field of a pattern, in each of cron's forms. */
function field(min: number, max: number): fc.Arbitrary<PlainField> {
  const number = fc.integer({ min, max });
  const all = upTo(min, max);
  return fc.oneof(
    list(min, max),
    fc.constant({ text: '*', values: all, isWildcard: true }),
    fc.integer({ min: 2, max: 30 }).map((step) => ({
      text: `*/${step}`,
      values: all.filter((value) => (value - min) % step === 0),
      isWildcard: true,
    })),
    fc.tuple(number, number).map(([one, other]) => {
      const [first, last] = [Math.min(one, other), Math.max(one, other)];
      return { text: `${first}-${last}`, values: upTo(first, last), isWildcard: false };
    }),
  );
}

const anyDay = fc.constant<PlainField>({ text: '*', values: upTo(0, 31), isWildcard: true });

const patterns: fc.Arbitrary<PlainPattern> = fc
  .record({
    minute: field(0, 59),
    // Most hours are those in which clocks change.
    hour: fc.oneof(field(0, 23), list(0, 3)),
    day: fc.oneof({ weight: 3, arbitrary: anyDay }, { weight: 1, arbitrary: field(1, 31) }),
    weekday: fc.oneof({ weight: 3, arbitrary: anyDay }, { weight: 1, arbitrary: field(0, 6) }),
  })
  .map(({ minute, hour, day, weekday }) => ({
    cron: `${minute.text} ${hour.text} ${day.text} * ${weekday.text}`,
    isWildcard: minute.isWildcard || hour.isWildcard,
    minutes: minute.values,
    hours: hour.values,
    days: day.values,
    weekdays: weekday.values,
  }));

describe.each(changes)('C4 in %s around %s', (timeZone, day) => {
  const [from, until] = [-36, 36].map(
    (hours) => new Date(Date.parse(`${day}T00:00:00Z`) + hours * 3_600_000),
  ) as [Date, Date];
  const minutes: readonly Minute[] = minutesOf(timeZone, from, until);

  it('the ticks of any pattern are those that cron has, wherever one begins to look', () => {
    const property = fc.property(patterns, fc.nat({ max: minutes.length - 1 }), (pattern, start) => {
      const after = new Date((minutes[start] as Minute).instant);
      const expected = ticksOf(pattern, minutes)
        .filter((instant) => instant > after.getTime())
        .map((instant) => new Date(instant).toISOString());
      expect(ticksBetween({ cron: pattern.cron, timeZone }, after, until)).toEqual(expected);
    });
    fc.assert(property, { numRuns: 40 });
  });
});

describe('C4 the scheduler’s clock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('ticks through the days of change, each tick once', async () => {
    vi.setSystemTime('2027-03-27T12:00:00Z');
    const ticked: string[] = [];
    const tasks = new CronTasks({
      schedules: defineSchedules(stores, {
        nightly: { cron: '30 2 * * *', timeZone: 'Europe/Berlin', warm: 'values' },
        quarterly: { cron: '*/15 * * * *', timeZone: 'Europe/Berlin', warm: 'values' },
      }),
      onTick: async ({ name }, tick) => void ticked.push(`${name} ${tick.toISOString()}`),
      emit: (event) => void ticked.push(JSON.stringify(event)),
    });
    tasks.start();
    expect(tasks.nextTick('nightly')?.toISOString()).toBe('2027-03-28T01:00:00.000Z');
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(ticked.filter((tick) => tick.startsWith('nightly'))).toEqual(['nightly 2027-03-28T01:00:00.000Z']);
    expect(ticked.filter((tick) => tick.startsWith('quarterly'))).toEqual(
      minutesFrom('2027-03-27T12:15:00Z', 15, 96).map((tick) => `quarterly ${tick}`),
    );
    await tasks.stop();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(ticked).toHaveLength(97);
  });

  it('says what failed, and goes on', async () => {
    vi.setSystemTime('2027-10-31T00:59:50Z');
    const events: object[] = [];
    const tasks = new CronTasks({
      schedules: defineSchedules(stores, {
        often: { cron: '*/2 * * * * *', timeZone: 'Europe/Berlin', warm: 'values' },
      }),
      onTick: async () => {
        throw new Error('no queue');
      },
      emit: (event) => void events.push(event),
    });
    tasks.start();
    await vi.advanceTimersByTimeAsync(14_000);
    expect(events).toHaveLength(7);
    expect(events.at(-1)).toMatchObject({ type: 'schedule.failed', tick: '2027-10-31T01:00:04.000Z' });
    await tasks.stop();
  });
});
