/** What a watch keeps of its samples. */
import { expect, test } from 'vitest';
import { type Backlog, ratesSince, type Sample, Watch } from '../../../demo/watch.js';

function backlogOf(dirty: number, oldestDirtyAgeMs: number): Backlog {
  return { dirty, sealed: 1, oldestDirtyAgeMs, persisted: 7, batches: 2 };
}

test('each sample is told, and the greatest backlog and age are kept', async () => {
  const states = [backlogOf(5, 10), backlogOf(90, 20), backlogOf(3, 400)];
  const samples: Sample[] = [];
  const watch = await new Promise<Watch>((enough) => {
    const started: Watch = new Watch({
      progress: { commits: 4, accepted: 6 },
      readBacklog: async () => states[samples.length] ?? backlogOf(0, 0),
      onSample: (sample) => {
        if (samples.push(sample) === 3) enough(started);
      },
      intervalMs: 1,
    });
  });
  await watch.stop();
  expect(samples[1]).toMatchObject({
    commits: 4,
    accepted: 6,
    persisted: 7,
    backlog: 91,
    oldestDirtyAgeMs: 20,
  });
  expect(watch.greatest()).toEqual({ backlogMax: 91, oldestDirtyAgeMsMax: 400 });
});

test('a failure to read the backlog is thrown when the greatest values are asked for', async () => {
  const failure = new Error('away');
  const watch = new Watch({
    progress: { commits: 0, accepted: 0 },
    readBacklog: () => Promise.reject(failure),
    onSample: () => expect.unreachable(),
  });
  await watch.stop();
  expect(() => watch.greatest()).toThrow(failure);
});

test('rates are differences per second', () => {
  const before = { ms: 1_000, accepted: 100, persisted: 10 };
  expect(ratesSince(before, { ms: 3_000, accepted: 500, persisted: 20 })).toEqual({
    acceptedPerSecond: 200,
    persistedPerSecond: 5,
  });
});
