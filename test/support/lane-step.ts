/** One step of the lane's protocol alone: a lane is seeded, the step runs, and the whole lane is compared. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import type { Lane } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { removeKeys } from './environment.js';
import { createLane, type LaneContent, now, readLane, seedLane } from './lane-state.js';

export interface Step {
  readonly name: string;
  readonly before: LaneContent;
  run(buffer: WriteBuffer, lane: Lane): Promise<unknown>;
  readonly reply: unknown;
  /** Default: the lane is as before. */
  readonly after?: LaneContent;
}

/** To be called once by a file: gives what runs a step. */
export function stepRunner(): (step: Step) => Promise<void> {
  let redis: Redis;
  let buffer: WriteBuffer;
  beforeAll(() => {
    redis = new Redis(inject('redisUrl'));
    buffer = new WriteBuffer(redis, 'parts');
  });
  afterAll(() => redis.quit());
  return async ({ before, run, reply, after = before }) => {
    const lane = createLane();
    await seedLane(redis, lane, before);
    expect(withoutHistory(await run(buffer, lane))).toEqual(reply);
    expect(await readLane(redis, lane)).toEqual(after);
    await removeKeys(redis, lane.keys.entryPrefix);
  };
}

/** A reply without the lane's generation, which is the server's. */
function withoutHistory(reply: unknown): unknown {
  if (typeof reply !== 'object' || reply === null || Array.isArray(reply)) return reply;
  const { generation: _, past: __, sealing: ___, ...rest } = reply as Record<string, unknown>;
  return 'batch' in rest ? { ...rest, batch: withoutHistory(rest.batch) } : rest;
}

/** Versions ahead of the clock, so that the next one is known: one more. Old ones are ages behind it. */
export const v = (n: number): string => String(9_000_000_000_000_000 + n);
export const old = (n: number): string => String(1_000_000 + n);

export const row = '{"id":"a"}';
export const put = (n: number): string => `P${v(n)}|${row}`;
export const bytesOf = (...records: string[]): string => String(records.join('').length);

/** A lane that has accepted one put. */
export const onePut: LaneContent = {
  meta: { version: v(1), bytes: bytesOf(put(1)), due: now },
  order: { 'projects:a': v(1) },
  dirty: { 'projects:a': put(1) },
};

export const letter: LaneContent = {
  meta: { version: v(1), dead: '1', due: now },
  dead: { 'projects:a': old(7) },
  letters: { 'projects:a': { '': '{"state":"23514"}', 'projects:a': put(1), 'views:a': '5' } },
};

export const oneSealed: LaneContent = {
  meta: { version: v(1), batch: v(10), sealed: v(10), since: old(1), failures: '2', due: now },
  sealed: { 'projects:a': put(1), 'views:a': '4' },
};
