/** What `npm run bench -- leaks` measures for long, bounded within seconds. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Leaks, measureLeaks } from '../../bench/leaks.js';
import { enterPlace, type Place } from '../../bench/place.js';
import { ProgressLine } from '../../bench/progress-line.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';

const seconds = 2;
/** A second, of an app and a worker with all lanes of the example platform; scripts' own commands count. */
const idleCommandsMax = 250;
/** A minute, while 1,000 calls a second are made: a leak of 50 bytes a call would be 3 MB. */
const heapGrowthMax = 100 * 1_024 * 1_024;

let redis: OwnRedis;
let place: Place;
let measured: Leaks;

beforeAll(async () => {
  redis = await startOwnRedis();
  place = await enterPlace({ databaseUrl: inject('databaseUrl'), redisUrl: redis.url });
  const progress = new ProgressLine({ write: () => undefined });
  measured = await measureLeaks({ place, progress, signal: new AbortController().signal }, seconds);
});

afterAll(async () => {
  await place.leave();
  await redis.remove();
});

it('an app and a worker that have nothing to do leave Redis in peace', () => {
  expect(measured.idle.redisCommandsPerSecond).toBeLessThan(idleCommandsMax);
});

it('what was written leaves no key behind once it is in the database, but for entries that expire', () => {
  expect(measured.lastingKeys.after).toBeLessThanOrEqual(measured.lastingKeys.before);
});

it('memory does not grow with what was called', () => {
  const { app, worker } = measured.load.heapBytesPerMinute;
  expect(Math.max(app, worker)).toBeLessThan(heapGrowthMax);
});
