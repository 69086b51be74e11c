/** A lane's mark, its numbers and its figures, each script alone: the whole lane is compared. */
import { describe, it } from 'vitest';
import { old, onePut, oneSealed, put, type Step, stepRunner, v } from '../../support/lane-step.js';

const check = stepRunner();

describe('the mark', () => {
  const meta = oneSealed.meta ?? {};
  it.each<Step>([
    {
      name: 'postpone moves it to the next try, later with each failure',
      before: oneSealed,
      run: (one, lane) => one.postpone(lane, v(10), { firstMs: 50, maxMs: 150 }),
      reply: { waitMs: 150, failures: 3 },
      after: { ...oneSealed, meta: { ...meta, failures: '3' } },
    },
    {
      name: 'postpone of another batch changes nothing',
      before: oneSealed,
      run: (one, lane) => one.postpone(lane, v(9), { firstMs: 50, maxMs: 150 }),
      reply: { waitMs: 0, failures: 0 },
    },
    {
      name: 'renew keeps it alive while the batch is sealed',
      before: { ...oneSealed, meta: { ...meta, due: old(1) } },
      run: (one, lane) => one.renew(lane, v(10)),
      reply: true,
      after: oneSealed,
    },
    {
      name: 'renew of another batch changes nothing',
      before: { ...oneSealed, meta: { ...meta, due: old(1) } },
      run: (one, lane) => one.renew(lane, v(9)),
      reply: false,
    },
    {
      name: 'wake claims a lane whose mark has gone quiet',
      before: { ...oneSealed, meta: { ...meta, due: old(1) } },
      run: (one, lane) => one.wake(lane, 2_000, 10_000),
      reply: true,
      after: oneSealed,
    },
    {
      name: 'wake leaves a lane whose mark is alive',
      before: oneSealed,
      run: (one, lane) => one.wake(lane, 60_000, 10_000),
      reply: false,
    },
    {
      name: 'wake claims a lane whose mark is further ahead than anybody promises',
      before: { ...oneSealed, meta: { ...meta, due: v(1) } },
      run: (one, lane) => one.wake(lane, 60_000, 10_000),
      reply: true,
      after: oneSealed,
    },
    {
      name: 'wake leaves an empty lane',
      before: { meta: { version: v(1), due: old(1) } },
      run: (one, lane) => one.wake(lane, 2_000, 10_000),
      reply: false,
    },
    {
      name: 'hurry asks for all that is accepted by now',
      before: onePut,
      run: (one, lane) => one.hurry(lane),
      reply: { version: BigInt(v(1)) },
      after: { ...onePut, meta: { ...onePut.meta, hurry: v(1) } },
    },
    {
      name: 'hurry has nothing to ask of an empty lane',
      before: { meta: { version: v(1) } },
      run: (one, lane) => one.hurry(lane),
      reply: undefined,
    },
    {
      name: 'raise tells first that the lane is behind, and its number, and changes nothing',
      before: { meta: { batch: v(10) } },
      run: (one, lane) => one.raise(lane, { batch: BigInt(v(12)) }, ''),
      reply: { kind: 'behind', batch: BigInt(v(10)) },
    },
    {
      name: 'raise lifts the number of batches of a lane that was cleared to the ledger’s',
      before: { meta: { batch: v(10) } },
      run: async (one, lane) => {
        const { generation } = await one.raise(lane, { batch: BigInt(v(12)) }, '');
        return one.raise(lane, { batch: BigInt(v(12)) }, generation);
      },
      reply: { kind: 'even' },
      after: { meta: { batch: v(12) } },
    },
    {
      name: 'raise has a lane cleared again that is of another generation than the one that was',
      before: { meta: { batch: v(10) } },
      run: (one, lane) => one.raise(lane, { batch: BigInt(v(12)) }, 'older'),
      reply: { kind: 'behind', batch: BigInt(v(10)) },
    },
    {
      name: 'raise notes what the ledger proves of an older generation, and that nothing of it is newer than the lane',
      before: { meta: { batch: v(10), version: v(1), past: `older ${v(1)};oldest ${v(0)};` } },
      run: (one, lane) =>
        one.raise(lane, { batch: BigInt(v(9)), generation: 'older', persisted: BigInt(v(3)) }, ''),
      reply: { kind: 'even' },
      after: { meta: { batch: v(10), version: v(3), past: `older ${v(3)};oldest ${v(0)};` } },
    },
    {
      name: 'raise leaves a number that is not behind',
      before: { meta: { batch: v(10) } },
      run: (one, lane) => one.raise(lane, { batch: BigInt(v(10)) }, ''),
      reply: { kind: 'even' },
    },
  ])('$name', check);
});

describe('inspect', () => {
  it.each<Step>([
    {
      name: 'tells a lane’s figures, and changes nothing',
      before: {
        ...oneSealed,
        meta: { ...oneSealed.meta, persisted: '7', batches: '3' },
        order: { 'projects:b': v(1) },
        dirty: { 'projects:b': put(1) },
        dead: { 'projects:x': old(1) },
      },
      run: async (one, lane) => {
        const { ageMs, ...state } = await one.inspect(lane);
        return { ...state, isOld: ageMs > 1_000 };
      },
      reply: {
        version: BigInt(v(1)),
        oldest: BigInt(old(1)),
        dirty: 1,
        sealed: 2,
        persisted: 7,
        batches: 3,
        dead: 1,
        waiting: 0,
        isOld: true,
      },
    },
  ])('$name', check);
});
