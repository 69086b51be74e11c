/** Waiting that a signal can end early. */
import { getEventListeners } from 'node:events';
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

it('of many on one signal costs it one listener, and all end with it', async () => {
  const controller = new AbortController();
  const pauses = Array.from({ length: 100 }, () => pause(60_000, controller.signal));
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
  controller.abort();
  await Promise.all(pauses);
});
