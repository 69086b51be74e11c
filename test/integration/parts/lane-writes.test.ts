/** What apps do to a lane, each script alone: the whole lane is compared. */
import { describe, expect, it } from 'vitest';
import type { Lane } from '../../../src/buffer/lane.js';
import type { Write } from '../../../src/buffer/step-replies.js';
import type { WriteBuffer } from '../../../src/buffer/write-buffer.js';
import type { RecordStore } from '../../../src/definitions/stores.js';
import { now } from '../../support/lane-state.js';
import { bytesOf, letter, onePut, put, row, type Step, stepRunner, v } from '../../support/lane-step.js';

const check = stepRunner();

const write = (op: Write['op'], field: string, payload = ''): Write => ({
  op,
  field,
  payload,
});
const writes =
  (...list: Write[]) =>
  (one: WriteBuffer, lane: Lane) =>
    one.write(lane, list);

/** What waits, the mark of an update on top of it, and what comes of both: see `markOf` in definitions/release.ts. */
const marks: readonly [waiting: string, update: string, joined: string][] = [
  ['abc', 'abc;+name', 'abc'],
  ['abc;+name', 'abc;+title,name', 'abc;+title,name'],
  ['abc;+name', 'abc;+title', 'abc;+title,name'],
  ['abc;!made', 'abc;+title', 'abc;!made'],
  ['abc;!made,~code', 'abc;+code', 'abc;!made'],
  ['abc;!made', 'abc;+made', 'abc'],
  ['abc;+name', 'abc', 'abc'],
];

describe('an update on top of what waits', () => {
  it.each<Step>(
    marks.flatMap(([waiting, update, joined]): Step[] => {
      const [before, after] = [`P${v(1)}|${waiting}${row}`, `P${v(2)}|${joined}${row}`];
      const run = writes(write('put-if', 'projects:a', `${v(1)}|${update}${row}`));
      const left = {
        order: { 'projects:a': v(1) },
        dirty: { 'projects:a': after },
        entries: { 'projects:a': after },
      };
      const reply = { wake: false, replies: [{ version: v(2) }] };
      return [
        {
          name: `${update} on ${waiting}, dirty, is ${joined}`,
          before: {
            meta: { version: v(1), bytes: bytesOf(before), due: now },
            order: { 'projects:a': v(1) },
            dirty: { 'projects:a': before },
          },
          run,
          reply,
          after: { ...left, meta: { version: v(2), bytes: bytesOf(after), due: now } },
        },
        {
          name: `${update} on ${waiting}, sealed, is ${joined}`,
          before: { meta: { version: v(1), due: now, sealed: v(1) }, sealed: { 'projects:a': before } },
          run,
          reply,
          after: {
            ...left,
            order: { 'projects:a': v(2) },
            sealed: { 'projects:a': before },
            meta: { version: v(2), bytes: bytesOf(after), due: now, sealed: v(1) },
          },
        },
      ];
    }),
  )('$name', check);
});

const twice = (name: string) => `{"id":"a"\n\n,"name":"${name}"\n}`;

describe('a patch', () => {
  const patchOf = (name: string) => write('patch', 'projects:a', `abc;+name\n,"name":"${name}"`);
  const patched = (n: number, mark: string, name: string) => `P${v(n)}|abc${mark}^${twice(name)}`;
  const from = (record: string): Step['before'] => ({
    meta: { version: v(1), bytes: bytesOf(record), due: now },
    order: { 'projects:a': v(1) },
    dirty: { 'projects:a': record },
  });
  const to = (record: string): Step['before'] => ({
    meta: { version: v(2), bytes: bytesOf(record), due: now },
    order: { 'projects:a': v(1) },
    dirty: { 'projects:a': record },
  });
  it.each<Step>([
    {
      name: 'of a whole row that is dirty is written with it',
      before: from(`P${v(1)}|abc${row}`),
      run: writes(patchOf('new')),
      reply: { wake: false, replies: [{ version: v(2) }] },
      after: to(patched(2, '', 'new')),
    },
    {
      name: 'takes the place of an earlier one',
      before: from(patched(1, ';+name', 'old')),
      run: writes(patchOf('new')),
      reply: { wake: false, replies: [{ version: v(2) }] },
      after: to(patched(2, ';+name', 'new')),
    },
    {
      name: 'of a cached row makes it dirty: only its fields are to be written',
      before: {
        meta: { version: v(1), due: now },
        entries: { 'projects:a': `P${v(1)}|abc;+title^{"id":"a"\n\n,"name":"old"\n}` },
      },
      run: writes(patchOf('new')),
      reply: { wake: false, replies: [{ version: v(2) }] },
      after: {
        ...to(patched(2, ';+name', 'new')),
        order: { 'projects:a': v(2) },
        entries: { 'projects:a': patched(2, ';+name', 'new') },
      },
    },
    ...(
      [
        ['is unknown', {}, undefined],
        ['is being loaded', { entries: { 'projects:a': '?token' } }, undefined],
        ['is deleted', from(`D${v(1)}|`), v(1)],
        ['another release has written', from(`P${v(1)}|abd${row}`), v(1)],
      ] as const
    ).map(
      ([what, before, found]): Step => ({
        name: `of a row that ${what} is a conflict`,
        before: { meta: { version: v(1), due: now }, ...before },
        run: writes(patchOf('new')),
        reply: { wake: false, replies: [{ refused: 'conflict', found }] },
      }),
    ),
  ])('$name', check);
});

const threePuts = {
  meta: { version: v(3), bytes: bytesOf(put(1), put(2), put(3)), due: now },
  order: { 'projects:a': v(1), 'projects:b': v(2), 'projects:c': v(3) },
  dirty: { 'projects:a': put(1), 'projects:b': put(2), 'projects:c': put(3) },
};

function cachingOnWrite(lane: Lane): Lane {
  const record = { ...(lane.group.records[0] as RecordStore), cacheOnWrite: true };
  return { ...lane, group: { ...lane.group, records: [record] } };
}

describe('write', () => {
  it.each<Step>([
    {
      name: 'the first put makes the record dirty, sets the mark and asks for a job',
      before: { meta: { version: v(0) } },
      run: writes(write('put', 'projects:a', row)),
      reply: { wake: true, replies: [{ version: v(1) }] },
      after: onePut,
    },
    {
      name: 'a further put keeps its place, and asks for no job',
      before: onePut,
      run: writes(write('put', 'projects:a', row)),
      reply: { wake: false, replies: [{ version: v(2) }] },
      after: {
        meta: { version: v(2), bytes: bytesOf(put(2)), due: now },
        order: { 'projects:a': v(1) },
        dirty: { 'projects:a': put(2) },
      },
    },
    {
      name: '[FB-ENTRY] changes the entry that stands, ends a lease, and makes no entry',
      before: {
        meta: { version: v(0), due: now },
        entries: { 'projects:a': put(0), 'projects:b': '?token;w' },
      },
      run: writes(...['a', 'b', 'c'].map((id) => write('put', `projects:${id}`, row))),
      reply: { wake: false, replies: [{ version: v(1) }, { version: v(2) }, { version: v(3) }] },
      after: { ...threePuts, entries: { 'projects:a': put(1), 'projects:b': put(2) } },
    },
    {
      name: 'makes an entry where the store wants one',
      before: {
        meta: { version: v(0), due: now },
        entries: { 'projects:a': put(0), 'projects:b': '?token;w' },
      },
      run: (one, lane) =>
        one.write(
          cachingOnWrite(lane),
          ['a', 'b', 'c'].map((id) => write('put', `projects:${id}`, row)),
        ),
      reply: { wake: false, replies: [{ version: v(1) }, { version: v(2) }, { version: v(3) }] },
      after: { ...threePuts, entries: { 'projects:a': put(1), 'projects:b': put(2), 'projects:c': put(3) } },
    },
    {
      name: 'leaves of a row that was read, and is deleted, that it is absent',
      before: { meta: { version: v(0), due: now }, entries: { 'projects:a': put(0) } },
      run: writes(write('delete', 'projects:a'), write('delete', 'projects:b')),
      reply: { wake: false, replies: [{ version: v(1) }, { version: v(2) }] },
      after: {
        meta: { version: v(2), bytes: bytesOf(`D${v(1)}|`, `D${v(2)}|`), due: now },
        order: { 'projects:a': v(1), 'projects:b': v(2) },
        dirty: { 'projects:a': `D${v(1)}|`, 'projects:b': `D${v(2)}|` },
        entries: { 'projects:a': `D${v(1)}|` },
      },
    },
    {
      name: 'a delete is a record too, and drops the row’s deltas, whose place it takes; a put over it is a replacement',
      before: {
        meta: { version: v(0), due: now },
        order: { 'views:a': v(0) },
        dirty: { 'views:a': '3' },
        entries: { 'views:a': '8' },
      },
      run: writes(write('delete', 'projects:a'), write('forget', 'views:a'), write('put', 'projects:a', row)),
      reply: { wake: false, replies: [{ version: v(1) }, { version: v(1) }, { version: v(2) }] },
      after: {
        meta: { version: v(2), bytes: bytesOf(put(2)), due: now },
        order: { 'projects:a': v(0) },
        dirty: { 'projects:a': `R${v(2)}|${row}` },
      },
    },
    {
      name: 'a delete takes the place of deltas that waited for their turn, and ends their waiting',
      before: {
        meta: { version: v(1), due: now },
        dirty: { 'views:a': '3' },
        waiting: { 'views:a': `0 0 ${v(1)}` },
        retries: { 'views:a': v(1) },
      },
      run: writes(write('delete', 'projects:a'), write('forget', 'views:a')),
      reply: { wake: false, replies: [{ version: v(2) }, { version: v(2) }] },
      after: {
        meta: { version: v(2), bytes: bytesOf(`D${v(2)}|`), due: now },
        order: { 'projects:a': v(1) },
        dirty: { 'projects:a': `D${v(2)}|` },
      },
    },
    {
      name: "a letter's delta joins the sum that waits for its turn, in the place of that",
      before: {
        ...letter,
        dirty: { 'views:a': '2' },
        waiting: { 'views:a': `0 0 ${v(1)}` },
        retries: { 'views:a': v(1) },
      },
      run: writes(write('put', 'projects:a', row)),
      reply: { wake: false, replies: [{ version: v(2) }] },
      after: {
        meta: { version: v(2), bytes: bytesOf(put(2)), dead: '0', due: now },
        order: { 'projects:a': v(2) },
        dirty: { 'projects:a': put(2), 'views:a': '7' },
        waiting: { 'views:a': `0 0 ${v(1)}` },
        retries: { 'views:a': v(1) },
      },
    },
    {
      name: 'adds are one sum, and change a cached value in the same call',
      before: { meta: { version: v(0), due: now }, entries: { 'views:a': '10', 'views:b': '?token' } },
      run: writes(write('add', 'views:a', '2'), write('add', 'views:a', '3'), write('add', 'views:b', '-1')),
      reply: { wake: false, replies: [{ version: v(1) }, { version: v(2) }, { version: v(3) }] },
      after: {
        meta: { version: v(3), bytes: '0', due: now },
        order: { 'views:a': v(1), 'views:b': v(3) },
        dirty: { 'views:a': '5', 'views:b': '-1' },
        entries: { 'views:a': '15' },
      },
    },
    {
      name: 'an add beyond 64 bits is refused',
      before: {
        meta: { version: v(0), due: now },
        order: { 'views:a': v(0) },
        dirty: { 'views:a': `${2n ** 63n - 1n}` },
      },
      run: writes(write('add', 'views:a', '1')),
      reply: { wake: false, replies: [{ refused: 'overflow' }] },
    },
    {
      name: 'a put at the dirty record’s version is accepted',
      before: onePut,
      run: writes(write('put-if', 'projects:a', `${v(1)}|${row}`)),
      reply: { wake: false, replies: [{ version: v(2) }] },
      after: {
        meta: { version: v(2), bytes: bytesOf(put(2)), due: now },
        order: { 'projects:a': v(1) },
        dirty: { 'projects:a': put(2) },
        entries: { 'projects:a': put(2) },
      },
    },
    {
      name: 'a put at another version is a conflict, with the sealed record’s version, or with none',
      before: { meta: { version: v(2), due: now, sealed: v(3) }, sealed: { 'projects:a': put(1) } },
      run: writes(
        write('put-if', 'projects:a', `${v(0)}|${row}`),
        write('delete', 'projects:a', v(0)),
        write('put-if', 'projects:b', `${v(0)}|${row}`),
      ),
      reply: {
        wake: false,
        replies: [
          { refused: 'conflict', found: v(1) },
          { refused: 'conflict', found: v(1) },
          { refused: 'conflict', found: undefined },
        ],
      },
    },
    {
      name: 'a full lane takes no further record, but dirty ones',
      before: {
        meta: { version: v(3), bytes: '30', due: now },
        order: { 'projects:a': v(1), 'projects:b': v(2), 'views:a': v(3) },
        dirty: { 'projects:a': put(1), 'projects:b': put(2), 'views:a': '1' },
      },
      run: writes(
        write('put', 'projects:c', row),
        write('delete', 'projects:c'),
        write('add', 'views:c', '1'),
        write('add', 'views:a', '1'),
      ),
      reply: {
        wake: false,
        replies: [{ refused: 'full' }, { refused: 'full' }, { refused: 'full' }, { version: v(4) }],
      },
      after: {
        meta: { version: v(4), bytes: '30', due: now },
        order: { 'projects:a': v(1), 'projects:b': v(2), 'views:a': v(3) },
        dirty: { 'projects:a': put(1), 'projects:b': put(2), 'views:a': '2' },
      },
    },
    {
      name: 'a put ends a dead letter, and its deltas count',
      before: letter,
      run: writes(write('put', 'projects:a', row)),
      reply: { wake: false, replies: [{ version: v(2) }] },
      after: {
        meta: { version: v(2), bytes: bytesOf(put(2)), dead: '0', due: now },
        order: { 'projects:a': v(2), 'views:a': v(2) },
        dirty: { 'projects:a': put(2), 'views:a': '5' },
      },
    },
    {
      name: 'a delete ends a dead letter, and its deltas with it',
      before: letter,
      run: writes(write('delete', 'projects:a')),
      reply: { wake: false, replies: [{ version: v(2) }] },
      after: {
        meta: { version: v(2), bytes: String(`D${v(2)}|`.length), dead: '0', due: now },
        order: { 'projects:a': v(2) },
        dirty: { 'projects:a': `D${v(2)}|` },
      },
    },
  ])('$name', check);
});

describe('claim', () => {
  const options = { token: 'mine', leaseMs: 5_000, ttlMs: 60_000 };
  it.each<Step>([
    {
      name: 'puts what is dirty, else what is sealed, back into the cache',
      before: {
        dirty: { 'projects:a': put(3) },
        sealed: { 'projects:a': put(1), 'projects:b': put(2) },
        entries: { 'projects:a': '?other' },
      },
      run: (one, lane) => one.claim(lane, ['projects:a', 'projects:b'], options),
      reply: [
        { kind: 'value', entry: put(3) },
        { kind: 'value', entry: put(2) },
      ],
      after: {
        dirty: { 'projects:a': put(3) },
        sealed: { 'projects:a': put(1), 'projects:b': put(2) },
        entries: { 'projects:a': put(3), 'projects:b': put(2) },
      },
    },
    {
      name: 'gives the lease to the first, and notes that somebody waits for it',
      before: { entries: { 'projects:b': '?other', 'projects:c': '?other;w', 'projects:d': put(1) } },
      run: (one, lane) => one.claim(lane, ['projects:a', 'projects:b', 'projects:c', 'projects:d'], options),
      reply: [
        { kind: 'lease' },
        { kind: 'wait', waitMs: expect.any(Number) },
        { kind: 'wait', waitMs: expect.any(Number) },
        { kind: 'value', entry: put(1) },
      ],
      after: {
        entries: {
          'projects:a': '?mine',
          'projects:b': '?other;w',
          'projects:c': '?other;w',
          'projects:d': put(1),
        },
      },
    },
    {
      name: 'gives a lease again to who has it, whether or not somebody waits for it',
      before: { entries: { 'projects:a': '?mine', 'projects:b': '?mine;w', 'projects:c': '?other' } },
      run: (one, lane) => one.claim(lane, ['projects:a', 'projects:b', 'projects:c'], options),
      reply: [{ kind: 'lease' }, { kind: 'lease' }, { kind: 'wait', waitMs: expect.any(Number) }],
      after: { entries: { 'projects:a': '?mine', 'projects:b': '?mine;w', 'projects:c': '?other;w' } },
    },
    {
      name: 'of counters gives deltas, batch numbers and kinds of their rows’ records of one moment',
      before: {
        meta: { batch: v(10), sealed: v(10) },
        dirty: { 'views:a': '2', 'projects:a': `R${v(3)}|${row}` },
        sealed: { 'views:a': '5', 'projects:a': `D${v(1)}|` },
        entries: { 'views:b': '7' },
      },
      run: (one, lane) => one.claimCounters(lane, ['views:a', 'views:b'], ['projects:a', ''], options),
      reply: {
        batch: BigInt(v(10)),
        sealed: BigInt(v(10)),
        counters: [
          { kind: 'lease', dirtyDelta: 2n, sealedDelta: 5n, dirtyRecord: 'R', sealedRecord: 'D' },
          { kind: 'value', entry: '7', dirtyDelta: 0n, sealedDelta: 0n, dirtyRecord: '', sealedRecord: '' },
        ],
      },
      after: {
        meta: { batch: v(10), sealed: v(10) },
        dirty: { 'views:a': '2', 'projects:a': `R${v(3)}|${row}` },
        sealed: { 'views:a': '5', 'projects:a': `D${v(1)}|` },
        entries: { 'views:a': '?mine', 'views:b': '7' },
      },
    },
  ])('$name', check);
});

describe('fill', () => {
  const fill = (field: string, content: string) => ({ field, content, ttlMs: 60_000 });
  it.each<Step>([
    {
      name: 'fills where the lease stands, with the lane’s next version; releases; and leaves all others',
      before: {
        meta: { version: v(1) },
        entries: {
          'projects:a': '?mine',
          'projects:b': '?mine;w',
          'projects:c': '?other',
          'projects:d': put(1),
          'views:a': '?mine',
        },
      },
      run: (one, lane) =>
        one.fill(lane, 'mine', [
          fill('projects:a', `P|${row}`),
          fill('projects:b', ''),
          fill('projects:c', `P|${row}`),
          fill('projects:d', 'D|'),
          fill('projects:e', 'D|'),
          fill('views:a', '12'),
        ]),
      reply: [true, false, false, false, false, true],
      after: {
        meta: { version: v(2) },
        entries: { 'projects:a': put(2), 'projects:c': '?other', 'projects:d': put(1), 'views:a': '12' },
      },
    },
    {
      name: 'fills a row with the version of its own, and the lane goes on from there',
      before: { meta: { version: v(1) }, entries: { 'projects:a': '?mine', 'projects:b': '?mine' } },
      run: (one, lane) => one.fill(lane, 'mine', [fill('projects:a', put(5)), fill('projects:b', 'D|')]),
      reply: [true, true],
      after: { meta: { version: v(6) }, entries: { 'projects:a': put(5), 'projects:b': `D${v(6)}|` } },
    },
  ])('$name', check);
});
