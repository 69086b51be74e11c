/** A worker whose batches are in hand and not done is told, whatever it does with them meanwhile. */
import { expect, it } from 'vitest';
import type { ForebayEvent } from '../../../../src/events.js';
import { BatchesDuty, type Held } from '../../../../src/services/write-behind/batches-duty.js';

const lane = 'tasks/0';
const number = '7';
const failed = (reason: 'unavailable' | 'refused'): ForebayEvent => ({
  type: 'batch.failed',
  lane,
  number,
  reason,
  retryMs: 10,
  error: new Error('lock timeout'),
});

function dutyOf() {
  let now = 1_000_000;
  let held: Held | undefined;
  const duty = new BatchesDuty({ oldestHeld: () => held, now: () => now });
  return {
    duty,
    hold: () => {
      held = { lane, number, since: now };
    },
    release: () => {
      held = undefined;
    },
    after: (seconds: number) => {
      now += 1_000 * seconds;
      return duty.problem();
    },
  };
}

it('tells of a batch that is in hand for longer than 20 s, while no other is done', () => {
  const { duty, hold, after } = dutyOf();
  expect(after(3_600)).toBeUndefined();
  hold();
  expect(after(20)).toBeUndefined();
  expect(after(1)).toBe('no batch was done for 21 s; lane tasks/0 has batch 7 in hand for 21 s');
  duty.told({ type: 'batch.acked', lane: 'tasks/1', number: '9', size: 1 });
  expect(after(20)).toBeUndefined();
  expect(after(1)).toContain('no batch was done for 21 s; lane tasks/0 has batch 7 in hand for 42 s');
});

it('still tells of it between two tries, and no more once it is done', () => {
  const { duty, hold, release, after } = dutyOf();
  hold();
  after(30);
  duty.told(failed('unavailable'));
  release();
  expect(after(1)).toBe('no batch was done for 31 s; lane tasks/0 fails: lock timeout');
  hold();
  expect(after(5)).toContain('no batch was done for 36 s');
  duty.told({ type: 'batch.acked', lane, number, size: 1 });
  release();
  expect(after(60)).toBeUndefined();
});

it('forgets a batch that another worker has taken', () => {
  const { duty, hold, release, after } = dutyOf();
  hold();
  after(30);
  duty.told(failed('unavailable'));
  release();
  expect(after(16)).toBeUndefined();
});

it('tells nothing of what only a person can mend', () => {
  const { duty, hold, release, after } = dutyOf();
  for (let tries = 0; tries < 5; tries++) {
    hold();
    after(1);
    duty.told(failed('refused'));
    release();
    expect(after(9)).toBeUndefined();
  }
});
