/** What workers do to a lane, each script alone: the whole lane is compared. */
import { describe, it } from 'vitest';
import type { Lane } from '../../../src/buffer/lane.js';
import type { SplitPart } from '../../../src/buffer/step-replies.js';
import type { WriteBuffer } from '../../../src/buffer/write-buffer.js';
import { type LaneContent, now } from '../../support/lane-state.js';
import {
  bytesOf,
  letter,
  old,
  onePut,
  oneSealed,
  put,
  row,
  type Step,
  stepRunner,
  v,
} from '../../support/lane-step.js';

const check = stepRunner();

const seal =
  (options: { recordsMax?: number; delayMs?: number; floor?: bigint } = {}) =>
  async (one: WriteBuffer, lane: Lane) => {
    const reply = await one.seal(lane, { recordsMax: 500, delayMs: 25, floor: 0n, ...options });
    return reply.kind === 'batch' ? { number: reply.batch.number, size: reply.batch.size } : reply;
  };

const twoOld: LaneContent = {
  meta: { version: v(2), batch: v(10), bytes: bytesOf(put(1), put(2)), due: now },
  order: { 'projects:a': old(1), 'projects:b': old(2), 'views:a': old(3) },
  dirty: { 'projects:a': put(1), 'projects:b': put(2), 'views:a': '4' },
};

describe('seal', () => {
  it.each<Step>([
    {
      name: 'takes all that is dirty, under the next number',
      before: twoOld,
      run: seal(),
      reply: { number: v(11), size: 3 },
      after: {
        meta: { version: v(2), batch: v(11), sealed: v(11), since: old(1), bytes: '0', due: now },
        sealed: { 'projects:a': put(1), 'projects:b': put(2), 'views:a': '4' },
      },
    },
    {
      name: 'takes the oldest when there are more than a batch holds',
      before: twoOld,
      run: seal({ recordsMax: 1 }),
      reply: { number: v(11), size: 1 },
      after: {
        meta: { version: v(2), batch: v(11), sealed: v(11), since: old(1), bytes: bytesOf(put(2)), due: now },
        order: { 'projects:b': old(2), 'views:a': old(3) },
        dirty: { 'projects:b': put(2), 'views:a': '4' },
        sealed: { 'projects:a': put(1) },
      },
    },
    {
      name: 'gives no number up to the last one that is known to be applied',
      before: twoOld,
      run: seal({ floor: BigInt(v(20)) }),
      reply: { number: v(21), size: 3 },
      after: {
        meta: { version: v(2), batch: v(21), sealed: v(21), since: old(1), bytes: '0', due: now },
        sealed: { 'projects:a': put(1), 'projects:b': put(2), 'views:a': '4' },
      },
    },
    {
      name: 'gives the batch that a crash left, as it is',
      before: {
        meta: { version: v(2), batch: v(10), sealed: v(10), since: old(1), due: now },
        order: { 'projects:b': old(2) },
        dirty: { 'projects:b': put(2) },
        sealed: { 'projects:a': put(1) },
      },
      run: seal({ floor: BigInt(v(20)) }),
      reply: { number: v(10), size: 1 },
    },
    {
      name: 'waits for records to come of age, and moves the mark to then',
      before: { ...onePut, order: { 'projects:a': now } },
      run: async (one, lane) => (await one.seal(lane, { recordsMax: 500, delayMs: 60_000, floor: 0n })).kind,
      reply: 'wait',
    },
    {
      name: 'keeps the mark of an empty lane whose caller stays: a write asks for no job',
      before: { meta: { version: v(1), due: now } },
      run: async (one, lane) => {
        const stayed = await one.seal(lane, { recordsMax: 500, delayMs: 0, floor: 0n, staysMs: 50 });
        const { wake } = await one.write(lane, [{ op: 'put', field: 'projects:a', payload: row }]);
        return [stayed, wake];
      },
      reply: [{ kind: 'wait', waitMs: 50 }, false],
      after: {
        meta: { version: v(2), bytes: bytesOf(put(2)), due: now },
        order: { 'projects:a': v(2) },
        dirty: { 'projects:a': put(2) },
      },
    },
    {
      name: 'does not wait for a version that is ahead of the clock',
      before: { ...onePut, entries: {}, meta: { ...onePut.meta, batch: v(10) } },
      run: async (one, lane) => (await one.seal(lane, { recordsMax: 500, delayMs: 60_000, floor: 0n })).kind,
      reply: 'batch',
      after: {
        meta: { version: v(1), batch: v(11), sealed: v(11), since: v(1), bytes: '0', due: now },
        sealed: { 'projects:a': put(1) },
      },
    },
    {
      name: 'takes records that wait and are due alone, and the others next',
      before: {
        meta: { version: v(1), batch: v(10), bytes: bytesOf(put(1), put(2)), due: now },
        order: { 'projects:b': old(1) },
        dirty: { 'projects:a': put(1), 'projects:b': put(2) },
        waiting: { 'projects:a': `10 ${now}` },
        retries: { 'projects:a': old(1) },
      },
      run: async (one, lane) => (await one.seal(lane, { recordsMax: 500, delayMs: 0, floor: 0n })).kind,
      reply: 'batch',
      after: {
        meta: {
          version: v(1),
          batch: v(11),
          sealed: v(11),
          since: v(2),
          retried: '1',
          bytes: bytesOf(put(2)),
          due: now,
        },
        order: { 'projects:b': old(1) },
        dirty: { 'projects:b': put(2) },
        sealed: { 'projects:a': put(1) },
        waiting: { 'projects:a': `10 ${now}` },
      },
    },
    {
      name: 'takes the others after records that have waited, though more of those are due',
      before: {
        meta: { version: v(1), batch: v(10), retried: '1', bytes: bytesOf(put(1), put(2)), due: now },
        order: { 'projects:b': old(1) },
        dirty: { 'projects:a': put(1), 'projects:b': put(2) },
        waiting: { 'projects:a': `10 ${now}` },
        retries: { 'projects:a': old(1) },
      },
      run: async (one, lane) => (await one.seal(lane, { recordsMax: 500, delayMs: 0, floor: 0n })).kind,
      reply: 'batch',
      after: {
        meta: { version: v(1), batch: v(11), sealed: v(11), since: old(1), bytes: bytesOf(put(1)), due: now },
        dirty: { 'projects:a': put(1) },
        sealed: { 'projects:b': put(2) },
        waiting: { 'projects:a': `10 ${now}` },
        retries: { 'projects:a': old(1) },
      },
    },
    {
      name: 'does nothing in a generation that was not compared with the ledger',
      before: onePut,
      run: (one, lane) => one.seal(lane, { recordsMax: 500, delayMs: 0, floor: 0n, compared: 'another' }),
      reply: { kind: 'uncompared' },
    },
    {
      name: 'does not wait when somebody waits for them',
      before: { ...onePut, entries: {}, meta: { ...onePut.meta, batch: v(10), hurry: v(1) } },
      run: seal(),
      reply: { number: v(11), size: 1 },
      after: {
        meta: { version: v(1), batch: v(11), sealed: v(11), since: v(1), hurry: v(1), bytes: '0', due: now },
        sealed: { 'projects:a': put(1) },
      },
    },
    {
      name: 'clears the mark of an empty lane',
      before: { meta: { version: v(1), due: now } },
      run: seal(),
      reply: { kind: 'empty' },
      after: { meta: { version: v(1) } },
    },
  ])('$name', check);
});

describe('ack', () => {
  it.each<Step>([
    {
      name: 'drops the sealed batch, and what its records waited',
      before: { ...oneSealed, waiting: { 'projects:a': `50 ${now}`, 'projects:b': `60 ${now}` } },
      run: (one, lane) => one.ack(lane, v(10)),
      reply: true,
      after: {
        meta: { version: v(1), batch: v(10), persisted: '2', batches: '1', due: now },
        waiting: { 'projects:b': `60 ${now}` },
      },
    },
    {
      name: 'drops the entries of records whose rows others have changed, and not of those that are dirty again',
      before: {
        ...oneSealed,
        order: { 'projects:b': v(1) },
        dirty: { 'projects:b': put(1) },
        sealed: { 'projects:a': put(1), 'projects:b': put(1), 'projects:c': put(1) },
        foreign: ['projects:a', 'projects:b'],
        entries: { 'projects:a': put(1), 'projects:b': put(1), 'projects:c': put(1) },
      },
      run: (one, lane) => one.ack(lane, v(10)),
      reply: true,
      after: {
        meta: { version: v(1), batch: v(10), persisted: '3', batches: '1', due: now },
        order: { 'projects:b': v(1) },
        dirty: { 'projects:b': put(1) },
        foreign: ['projects:b'],
        entries: { 'projects:b': put(1), 'projects:c': put(1) },
      },
    },
    {
      name: 'leaves a batch with another number',
      before: oneSealed,
      run: (one, lane) => one.ack(lane, v(9)),
      reply: false,
    },
  ])('$name', check);
});

const part = (fields: Partial<SplitPart>): SplitPart => ({
  field: 'projects:a',
  fate: 'dead',
  waitMs: 0,
  letter: 'projects:a',
  row: '',
  error: '{"state":"23514"}',
  anchor: '',
  ...fields,
});
const deltaPart = (fields: Partial<SplitPart> = {}) =>
  part({ field: 'views:a', row: 'projects:a', ...fields });

describe('split', () => {
  const three: LaneContent = {
    ...oneSealed,
    sealed: { 'projects:a': put(1), 'views:a': '4', 'projects:b': put(2) },
    entries: { 'projects:a': put(1), 'views:a': '9' },
  };
  it.each<Step>([
    {
      name: 'makes a dead letter of a record and its row’s deltas, drops their entries, and gives the rest a new number',
      before: three,
      run: (one, lane) => one.split(lane, v(10), [part({}), deltaPart()]),
      reply: { kind: 'split', rest: 1, deadFields: ['projects:a'] },
      after: {
        meta: { version: v(1), batch: v(11), sealed: v(11), since: old(1), bytes: '0', dead: '1', due: now },
        sealed: { 'projects:b': put(2) },
        dead: { 'projects:a': now },
        letters: {
          'projects:a': { '': '{"state":"23514"}', since: old(1), 'projects:a': put(1), 'views:a': '4' },
        },
      },
    },
    {
      name: 'lets a record wait with its deltas, in no place of the order',
      before: three,
      run: (one, lane) =>
        one.split(lane, v(10), [
          part({ fate: 'wait', waitMs: 1_000 }),
          deltaPart({ fate: 'wait', waitMs: 1_000 }),
        ]),
      reply: { kind: 'split', rest: 1, deadFields: [] },
      after: {
        ...three,
        meta: {
          version: v(1),
          batch: v(11),
          sealed: v(11),
          since: old(1),
          bytes: bytesOf(put(1)),
          dead: '0',
          due: now,
        },
        dirty: { 'projects:a': put(1), 'views:a': '4' },
        sealed: { 'projects:b': put(2) },
        waiting: { 'projects:a': `0 ${now} ${old(1)}`, 'views:a': `0 ${now} ${old(1)}` },
        retries: { 'projects:a': now, 'views:a': now },
      },
    },
    {
      name: 'counts no time for which a record only waited for its tenant’s turn',
      before: { ...oneSealed, sealed: { 'projects:a': put(1) }, waiting: { 'projects:a': `0 0 ${old(1)}` } },
      run: (one, lane) => one.split(lane, v(10), [part({ fate: 'wait', waitMs: 500 })]),
      reply: { kind: 'split', rest: 0, deadFields: [] },
      after: {
        meta: { version: v(1), batch: v(11), bytes: bytesOf(put(1)), dead: '0', due: now },
        dirty: { 'projects:a': put(1) },
        waiting: { 'projects:a': `0 ${now} ${old(1)}` },
        retries: { 'projects:a': now },
      },
    },
    {
      name: 'keeps what was written meanwhile, with its deltas, in place of what was refused',
      before: {
        ...three,
        order: { 'projects:a': v(3) },
        dirty: { 'projects:a': put(3) },
        entries: { 'projects:a': put(3) },
      },
      run: (one, lane) => one.split(lane, v(10), [part({}), deltaPart()]),
      reply: { kind: 'split', rest: 1, deadFields: [] },
      after: {
        meta: { version: v(1), batch: v(11), sealed: v(11), since: old(1), bytes: '0', dead: '0', due: now },
        order: { 'projects:a': old(0), 'views:a': old(1) },
        dirty: { 'projects:a': put(3), 'views:a': '4' },
        sealed: { 'projects:b': put(2) },
        entries: { 'projects:a': put(3) },
      },
    },
    {
      name: 'ends the deltas of a row that was deleted meanwhile',
      before: { ...oneSealed, order: { 'projects:a': v(3) }, dirty: { 'projects:a': `D${v(3)}|` } },
      run: (one, lane) => one.split(lane, v(10), [part({}), deltaPart()]),
      reply: { kind: 'split', rest: 0, deadFields: [] },
      after: {
        meta: { version: v(1), batch: v(11), bytes: '0', dead: '0', due: now },
        order: { 'projects:a': old(1) },
        dirty: { 'projects:a': `D${v(3)}|` },
      },
    },
    {
      name: 'leaves a batch with another number',
      before: three,
      run: (one, lane) => one.split(lane, v(9), [part({})]),
      reply: { kind: 'late' },
    },
    {
      name: 'changes nothing when there is no room for dead letters',
      before: { ...three, dead: { 'projects:x': old(1), 'projects:y': old(2) } },
      run: (one, lane) => one.split(lane, v(10), [part({})]),
      reply: { kind: 'full' },
    },
  ])('$name', check);
});

describe('replay and discard', () => {
  const name = { field: 'projects:a', at: old(7) };
  it.each<Step>([
    {
      name: 'replay makes the records of a letter dirty again, as if written now',
      before: { ...letter, entries: { 'projects:a': `D${v(0)}|` } },
      run: (one, lane) => one.letters.replay(lane, name),
      reply: 'replayed',
      after: {
        meta: { version: v(2), bytes: bytesOf(put(2)), dead: '0', due: now },
        order: { 'projects:a': v(2), 'views:a': v(2) },
        dirty: { 'projects:a': put(2), 'views:a': '5' },
      },
    },
    {
      name: 'replay asks for a job where the lane has no mark',
      before: {
        ...letter,
        meta: { version: v(1), dead: '1' },
        letters: { 'projects:a': { '': '{}', 'views:a': '5' } },
      },
      run: (one, lane) => one.letters.replay(lane, name),
      reply: 'wake',
      after: {
        meta: { version: v(2), bytes: '0', dead: '0', due: now },
        order: { 'views:a': v(2) },
        dirty: { 'views:a': '5' },
      },
    },
    {
      name: 'replay adds a delta to one that waits for its turn, which counts from the letter on',
      before: {
        ...letter,
        dirty: { 'views:a': '2' },
        waiting: { 'views:a': `0 0 ${v(1)}` },
        retries: { 'views:a': v(1) },
        letters: { 'projects:a': { '': '{}', 'views:a': '5', since: old(3) } },
      },
      run: (one, lane) => one.letters.replay(lane, name),
      reply: 'replayed',
      after: {
        meta: { version: v(2), bytes: '0', dead: '0', due: now },
        dirty: { 'views:a': '7' },
        waiting: { 'views:a': `0 0 ${old(3)}` },
        retries: { 'views:a': v(1) },
      },
    },
    {
      name: 'replay leaves a letter that was made anew',
      before: letter,
      run: (one, lane) => one.letters.replay(lane, { ...name, at: old(6) }),
      reply: 'gone',
    },
    {
      name: 'discard drops the letter alone',
      before: letter,
      run: (one, lane) => one.letters.discard(lane, name),
      reply: true,
      after: { meta: { version: v(1), dead: '0', due: now } },
    },
    {
      name: 'discard leaves a letter that was made anew',
      before: letter,
      run: (one, lane) => one.letters.discard(lane, { ...name, at: old(6) }),
      reply: false,
    },
  ])('$name', check);
});

describe('drop', () => {
  it.each<Step>([
    {
      name: 'removes entries of overtaken versions, and no newer ones',
      before: { entries: { 'projects:a': put(1), 'projects:b': put(3), 'projects:c': '?token' } },
      run: (one, lane) =>
        one.drop(lane, new Map(['a', 'b', 'c'].map((id) => [`projects:${id}`, v(1)] as const))),
      reply: undefined,
      after: { entries: { 'projects:b': put(3), 'projects:c': '?token' } },
    },
  ])('$name', check);
});

describe('drop-foreign', () => {
  it.each<Step>([
    {
      name: 'removes entries and leases, whatever their versions, and notes which rows are pending',
      before: {
        dirty: { 'projects:a': put(1), 'views:c': '4' },
        sealed: { 'projects:b': put(1) },
        entries: {
          'projects:a': put(1),
          'projects:b': put(1),
          'projects:c': '?token',
          'views:c': '7',
          'projects:d': put(1),
        },
      },
      run: (one, lane) =>
        one.dropForeign(lane, ['projects:a', 'projects:b', 'projects:c', 'views:c', 'projects:none']),
      reply: 2,
      after: {
        dirty: { 'projects:a': put(1), 'views:c': '4' },
        sealed: { 'projects:b': put(1) },
        foreign: ['projects:a', 'projects:b'],
        entries: { 'projects:d': put(1) },
      },
    },
  ])('$name', check);
});
