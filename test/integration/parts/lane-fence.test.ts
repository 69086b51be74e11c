/** [FB-LANES] A lane in a change of its store's number of lanes, each step alone: the whole lane is compared. */
import { describe, it } from 'vitest';
import type { Lane } from '../../../src/buffer/lane.js';
import { onePut, oneSealed, put, type Step, stepRunner, v } from '../../support/lane-step.js';

const check = stepRunner();
const by = (mark: string, lane: Lane): Lane => ({ ...lane, mark });
const at = (partitions: string, rest: Record<string, string> = {}) => ({ meta: { partitions, ...rest } });
const [five, six] = [Number(v(5)), Number(v(6))];
const claim = { token: 't', leaseMs: 1_000, ttlMs: 1_000 };
const done = (version = '0') => ({ kind: 'done', version: BigInt(version) });
const late = { kind: 'late', version: 0n };

describe('a lane is closed', () => {
  it.each<Step>([
    {
      name: 'whatever it holds; what that is stays',
      before: onePut,
      run: (one, lane) => one.fence(lane, 'close', { partitions: 8, epoch: six }),
      reply: done(onePut.meta?.version),
      after: { ...onePut, meta: { ...onePut.meta, partitions: `8.${v(6)} closed` } },
    },
    {
      name: 'again, by the same change',
      before: at(`8.${v(6)} closed`),
      run: (one, lane) => one.fence(lane, 'close', { partitions: 8, epoch: six }),
      reply: done(),
    },
    {
      name: 'not by a change that was undone',
      before: at(`8.${v(6)}`),
      run: (one, lane) => one.fence(lane, 'close', { partitions: 8, epoch: five }),
      reply: late,
    },
    {
      name: 'not once it is open by what that change has decided',
      before: at(`3.${v(6)}`),
      run: (one, lane) => one.fence(lane, 'close', { partitions: 8, epoch: six }),
      reply: late,
    },
    {
      name: 'and empty by then: it stays so',
      before: at(`8.${v(5)} moved`),
      run: (one, lane) => one.fence(lane, 'close', { partitions: 8, epoch: six }),
      reply: done(),
      after: at(`8.${v(6)} moved`),
    },
  ])('$name', check);
});

describe('a lane is moved', () => {
  const closed = `8.${v(6)} closed`;
  it.each<Step>([
    {
      name: 'when it holds nothing',
      before: at(closed, { version: v(4) }),
      run: (one, lane) => one.fence(lane, 'move', { partitions: 8, epoch: six }),
      reply: done(v(4)),
      after: at(`8.${v(6)} moved`, { version: v(4) }),
    },
    {
      name: 'not with a dirty record',
      before: { ...onePut, meta: { ...onePut.meta, partitions: closed } },
      run: (one, lane) => one.fence(lane, 'move', { partitions: 8, epoch: six }),
      reply: { kind: 'busy', version: BigInt(onePut.meta?.version ?? 0) },
    },
    {
      name: 'not with a sealed batch',
      before: { ...oneSealed, meta: { ...oneSealed.meta, partitions: closed } },
      run: (one, lane) => one.fence(lane, 'move', { partitions: 8, epoch: six }),
      reply: { kind: 'busy', version: BigInt(oneSealed.meta?.version ?? 0) },
    },
    {
      name: 'not with a dead letter',
      before: { ...at(closed), dead: { 'projects:a': v(1) } },
      run: (one, lane) => one.fence(lane, 'move', { partitions: 8, epoch: six }),
      reply: { kind: 'busy', version: 0n },
    },
    {
      name: 'not before it was closed for this change',
      before: at(`8.${v(5)}`),
      run: (one, lane) => one.fence(lane, 'move', { partitions: 8, epoch: six }),
      reply: late,
    },
  ])('$name', check);
});

describe('a lane is open', () => {
  it.each<Step>([
    {
      name: 'by another number once it is empty; its next version is greater than any of the lanes before',
      before: at(`8.${v(5)} moved`, { version: v(4) }),
      run: (one, lane) => one.fence(lane, 'open', { partitions: 3, epoch: six }),
      reply: done(v(6)),
      after: at(`3.${v(6)}`, { version: v(6) }),
    },
    {
      name: 'by its own number again, with what it holds',
      before: { ...onePut, meta: { ...onePut.meta, partitions: `8.${v(5)} closed` } },
      run: (one, lane) => one.fence(lane, 'open', { partitions: 8, epoch: six }),
      reply: done(v(6)),
      after: { ...onePut, meta: { ...onePut.meta, partitions: `8.${v(6)}`, version: v(6) } },
    },
    {
      name: 'not by another number while it holds something',
      before: { ...onePut, meta: { ...onePut.meta, partitions: `8.${v(5)}` } },
      run: (one, lane) => one.fence(lane, 'open', { partitions: 3, epoch: six }),
      reply: { kind: 'busy', version: BigInt(onePut.meta?.version ?? 0) },
    },
    {
      name: 'not by what was decided earlier',
      before: at(`3.${v(6)} closed`),
      run: (one, lane) => one.fence(lane, 'open', { partitions: 8, epoch: five }),
      reply: late,
    },
  ])('$name', check);
});

describe('who comes to a lane', () => {
  const write = [{ op: 'put', field: 'projects:a', payload: '{"id":"a"}' }] as const;
  const refused = { wake: false, replies: [{ refused: 'partitions' }] };
  const closed = { ...onePut, meta: { ...onePut.meta, partitions: `8.${v(6)} closed` } };
  it.each<Step>([
    {
      name: 'and writes by another number is refused whole, and nothing is done',
      before: at(`3.${v(6)}`),
      run: (one, lane) => one.write(by(`8.${v(5)}`, lane), write),
      reply: refused,
    },
    {
      name: 'and writes is refused while it is closed',
      before: closed,
      run: (one, lane) => one.write(by(`8.${v(5)}`, lane), write),
      reply: refused,
    },
    {
      name: 'that says nothing, by a number that was decided while it ran, is refused: Redis was emptied',
      before: {},
      run: (one, lane) => one.write(by(`8.${v(5)}`, lane), write),
      reply: refused,
    },
    {
      name: 'and reads what is pending while it is closed gets it, and it is not cached',
      before: closed,
      run: (one, lane) => one.claim(by(`8.${v(5)}`, lane), ['projects:a'], claim),
      reply: [{ kind: 'value', entry: put(1) }],
    },
    {
      name: 'and reads what is not pending while it is closed gets no lease',
      before: closed,
      run: (one, lane) => one.claim(by(`8.${v(5)}`, lane), ['projects:b'], claim),
      reply: [{ kind: 'closed' }],
    },
    {
      name: 'and reads by another number is told that it has moved, whatever is pending there',
      before: closed,
      run: (one, lane) => one.claim(by(`3.${v(5)}`, lane), ['projects:a'], claim),
      reply: [{ kind: 'moved' }],
    },
    {
      name: 'and drops entries by another number is told so, and none is dropped',
      before: { ...at(`3.${v(6)}`), entries: { 'projects:a': put(1) } },
      run: (one, lane) => one.dropForeign(by(`8.${v(5)}`, lane), ['projects:a']),
      reply: 'moved',
    },
  ])('$name', check);
});
