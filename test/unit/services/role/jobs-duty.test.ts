/** A worker that takes no jobs though some wait is told; one that has none, no room, or takes some is not. */
import { expect, it } from 'vitest';
import { JobsDuty } from '../../../../src/services/role/jobs-duty.js';

function dutyOf() {
  const state = { inHand: 0, taken: 0, waiting: 3, ms: 0 };
  const duty = new JobsDuty({
    queue: 'refresh',
    concurrency: 2,
    desk: state,
    waiting: async () => state.waiting,
    now: () => state.ms,
  });
  const after = (seconds: number, change: Partial<typeof state> = {}) => {
    Object.assign(state, change, { ms: state.ms + 1_000 * seconds });
    return duty.problem();
  };
  return { after };
}

it('tells of jobs that wait for half a minute, of which it takes none', async () => {
  const { after } = dutyOf();
  expect(await after(100)).toBeUndefined();
  expect(await after(29)).toBeUndefined();
  expect(await after(2)).toBe('3 jobs wait, and none was taken for 31 s');
  expect(await after(1, { taken: 1 })).toBeUndefined();
});

it.each([
  ['none waits', { waiting: 0 }],
  ['it has no room for another', { inHand: 2 }],
])('tells nothing while %s', async (_, change) => {
  const { after } = dutyOf();
  expect(await after(0, change)).toBeUndefined();
  expect(await after(60)).toBeUndefined();
  expect(await after(20, { waiting: 3, inHand: 0 })).toBeUndefined();
});

it('tells nothing as long as it takes some between two looks', async () => {
  const { after } = dutyOf();
  for (let taken = 1; taken < 5; taken++) expect(await after(60, { taken })).toBeUndefined();
});
