/** What a worker knows of paused stores: as of two seconds ago at most, and it costs idle lanes nothing. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Lane, Lanes } from '../../../../src/buffer/lane.js';
import type { Pauses } from '../../../../src/buffer/pauses.js';
import { record } from '../../../../src/definitions/record.js';
import { defineStores } from '../../../../src/definitions/stores.js';
import type { ForebayEvent } from '../../../../src/events.js';
import { PausedGroups } from '../../../../src/services/write-behind/paused-groups.js';

const thing = () =>
  record({
    id: 'id',
    partitions: 1,
    load: async () => [] as { id: string }[],
    persist: async () => undefined,
  });
const lanes = new Lanes(defineStores({ boats: thing(), quays: thing() }), 'test');
const [boats, quays] = lanes.all as [Lane, Lane];

let answers: (string[] | Error)[];
let asked: number;
let events: ForebayEvent[];
let paused: PausedGroups;

beforeEach(() => {
  vi.useFakeTimers();
  answers = [];
  asked = 0;
  events = [];
  const pauses = {
    groups: async () => {
      asked += 1;
      const answer = answers.shift() ?? [];
      if (answer instanceof Error) throw answer;
      return new Set(answer);
    },
  };
  paused = new PausedGroups(pauses as unknown as Pauses, (event) => events.push(event));
});

afterEach(() => {
  vi.useRealTimers();
});

it('a flush asks before the first batch, and then once in two seconds, for all lanes together', async () => {
  answers = [['boats'], []];
  expect(await Promise.all([paused.has(boats), paused.has(quays)])).toEqual([true, false]);
  vi.advanceTimersByTime(2_000);
  expect(await paused.has(boats)).toBe(true);
  expect(asked).toBe(1);
  vi.advanceTimersByTime(1);
  expect(await paused.has(boats)).toBe(false);
  expect(asked).toBe(2);
});

it('each change is told once', async () => {
  answers = [[], ['quays'], ['quays'], []];
  for (let i = 0; i < 4; i++) {
    await paused.has(boats);
    vi.advanceTimersByTime(2_001);
  }
  expect(events).toEqual([
    { type: 'stores.paused', stores: ['quays'] },
    { type: 'stores.paused', stores: [] },
  ]);
});

it('what was known stays true while Redis does not answer, which is told, and asked again', async () => {
  const away = new Error('away');
  answers = [['boats'], away, []];
  await paused.has(boats);
  vi.advanceTimersByTime(2_001);
  expect(await paused.has(boats)).toBe(true);
  expect(await paused.has(boats)).toBe(false);
  expect(events).toContainEqual({ type: 'redis.error', connection: 'worker', error: away });
});
