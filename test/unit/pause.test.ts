/** Waiting that a signal can end early. */
import { expect, it } from 'vitest';
import { pause } from '../../src/pause.js';

it('ends after its time', async () => {
  const startedAt = performance.now();
  await pause(20, new AbortController().signal);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(19);
});

it('ends at once when the signal comes, or has come before', async () => {
  const controller = new AbortController();
  const paused = pause(60_000, controller.signal);
  controller.abort();
  await paused;
  await pause(60_000, controller.signal);
});
