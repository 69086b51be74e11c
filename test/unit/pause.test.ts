/** Waiting that signals can end early. */
import { getEventListeners } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
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

it('ends with the first of several signals, and leaves nothing at the others', async () => {
  const [lasting, brief] = [new AbortController(), new AbortController()];
  const paused = pause(60_000, lasting.signal, brief.signal);
  brief.abort();
  await paused;
  for (let i = 0; i < 100; i++) await pause(0, lasting.signal, new AbortController().signal);
  expect(getEventListeners(lasting.signal, 'abort')).toHaveLength(1);
});

it('is what the source waits by: a signal of AbortSignal.any is kept for as long as its sources live', () => {
  const root = new URL('../../src/', import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const callers = files.filter((name) =>
    readFileSync(new URL(name, root), 'utf8').includes('AbortSignal.any('),
  );
  expect(callers).toEqual([]);
});
