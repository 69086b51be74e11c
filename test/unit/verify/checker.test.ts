/** The checker finds what is planted, each kind of it, and nothing in a history without. */
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../verify/checker/check.js';
import type { ViolationKind } from '../../../verify/checker/violation.js';
import type { History, Loss, Op } from '../../../verify/history.js';

const row = 'plain:a';
const sum = 'counts:a';

/** Calls one after the other, each of 5 µs; `at` and `end` can be given. */
function history(ops: readonly Partial<Op>[], losses: readonly Loss[] = []): History {
  const made = ops.map((op, nth): Op => {
    const at = op.at ?? 10 * nth + 10;
    return { process: 'app', client: 0, kind: 'get', key: row, at, end: at + 5, outcome: 'ok', ...op };
  });
  return { ops: made, losses, ends: new Map([['dead', 40]]), endedAt: 1_000 };
}

const kindsOf = (ops: readonly Partial<Op>[], losses: readonly Loss[] = []): ViolationKind[] =>
  checkHistory(history(ops, losses)).map(({ kind }) => kind);

const put = (wrote: string, version: number, more: Partial<Op> = {}): Partial<Op> => ({
  kind: 'put',
  wrote,
  version,
  durability: 'memory',
  ...more,
});
const gone = (version: number, more: Partial<Op> = {}): Partial<Op> => ({
  kind: 'delete',
  wrote: null,
  version,
  ...more,
});
const get = (read: string | null, more: Partial<Op> = {}): Partial<Op> => ({ kind: 'get', read, ...more });
const inRow = (read: string | number | null, more: Partial<Op> = {}): Partial<Op> => ({
  kind: 'row',
  read,
  ...more,
});
const lastRow = (read: string | number | null, more: Partial<Op> = {}): Partial<Op> =>
  inRow(read, { process: 'driver', ...more });
const persisted = (version: number, more: Partial<Op> = {}): Partial<Op> => ({
  kind: 'persisted',
  version,
  ...more,
});
const update = (read: string | null, wrote: string, version: number): Partial<Op> => ({
  kind: 'update',
  read,
  wrote,
  version,
});
const add = (delta: number, version: number, more: Partial<Op> = {}): Partial<Op> => ({
  kind: 'add',
  key: sum,
  delta,
  version,
  ...more,
});
const count = (read: number, more: Partial<Op> = {}): Partial<Op> => ({
  kind: 'count',
  key: sum,
  read,
  ...more,
});
const other = { client: 1 };
const inDoubt = { outcome: 'unknown', version: undefined } as unknown as Partial<Op>;
const loss: Loss = { what: 'power loss', from: 15, at: 35, until: 65, keeps: ['fsynced'] };

describe('what is planted is found:', () => {
  const planted: readonly (readonly [ViolationKind, string, readonly Partial<Op>[]])[] = [
    ['stale read', 'a read older than another client’s write', [put('x', 1), put('y', 2), get('x', other)]],
    ['stale read', 'nothing, where a row was put', [put('x', 1), get(null, other)]],
    ['own write not read', 'a client’s own write', [put('x', 1), put('y', 2), get('x')]],
    [
      'read went back',
      'two reads of a client, the second older',
      [put('x', 1), put('y', 2, { end: 99, outcome: 'ok' }), get('y', other), get('x', other)],
    ],
    [
      'read went back',
      'a write in doubt, a newer one, and it again',
      [
        put('x', 1),
        put('u', 0, inDoubt),
        get('u', other),
        put('y', 2, { end: 200 }),
        get('y', other),
        get('u', other),
      ],
    ],
    ['resurrection', 'a row after its delete', [put('x', 1), gone(2), get('x', other)]],
    ['value from nowhere', 'what nobody wrote', [put('x', 1), get('z')]],
    ['value from nowhere', 'what is only written later', [get('x'), put('x', 1)]],
    ['refused write', 'what was refused', [put('x', 1), put('y', 0, { outcome: 'refused' }), get('y')]],
    ['version went back', 'a later write with a smaller version', [put('x', 2), put('y', 1)]],
    [
      'lost update',
      'an update of an older row',
      [put('x', 1), put('y', 2, { at: 20, end: 60 }), { ...update('x', 'z', 3), at: 25 }],
    ],
    [
      'lost update',
      'an update of nothing, over a row',
      [put('y', 2, { at: 20, end: 60 }), { ...update(null, 'z', 3), at: 25 }],
    ],
    ['lost write', 'a row that lacks the last write', [put('x', 1), put('y', 2), lastRow('x')]],
    ['lost write', 'a row that is not there', [put('x', 1), lastRow(null)]],
    ['false receipt', 'a receipt before its row', [put('x', 1), put('y', 2), persisted(2), inRow('x')]],
    [
      'false receipt',
      'an accepted write of durability database',
      [put('x', 1, { durability: 'database' }), inRow(null)],
    ],
    ['database went back', 'an older row than before', [put('x', 1), put('y', 2), inRow('y'), inRow('x')]],
    [
      'cache differs',
      'a last read of another row',
      [put('x', 1), put('y', 2, inDoubt), get('y', { client: -1 }), lastRow('x')],
    ],
    [
      'loss told',
      'a receipt that tells of a loss',
      [put('x', 1), persisted(1, { outcome: 'refused', code: 'WRITE_LOST' })],
    ],
    ['stale read', 'a sum that lacks an add', [add(3, 1), add(4, 2), count(3, other)]],
    ['own write not read', 'a sum that lacks an own add', [add(3, 1), count(0)]],
    ['read went back', 'a sum that is less than before', [add(3, 1), add(4, 2, inDoubt), count(7), count(3)]],
    ['lost delta', 'a row that lacks an add', [add(3, 1), add(4, 2), { ...lastRow(3), key: sum }]],
    ['doubled delta', 'a row that has an add twice', [add(3, 1), add(4, 2), { ...lastRow(11), key: sum }]],
    [
      'doubled delta',
      'a row that has one twice, where another is in doubt',
      [add(3, 1), add(4, 2, inDoubt), { ...lastRow(6), key: sum }],
    ],
    ['doubled delta', 'a read of more than was added', [add(3, 1), count(6)]],
    [
      'false receipt',
      'a receipt of an add before its row',
      [add(3, 1), { ...persisted(1), key: sum }, { ...inRow(0), key: sum }],
    ],
  ];

  it.each(planted)('%s: %s', (kind, _, ops) => {
    expect(kindsOf(ops)).toContain(kind);
  });

  it('a call that never ends, and one that takes too long', () => {
    const hanging = { ...history([put('x', 1)]), endedAt: 60_000_000 };
    const { end: _, outcome: __, ...begun } = hanging.ops[0] as Op;
    expect(checkHistory({ ...hanging, ops: [begun] }).map(({ kind }) => kind)).toEqual(['hanging call']);
    expect(kindsOf([get(null, { end: 60_000_000 })])).toEqual(['slow call']);
  });

  it('a receipt that is given up long after its row was there', () => {
    const late = persisted(1, { at: 20, end: 25_000_020, outcome: 'refused', code: 'PERSIST_TIMEOUT' });
    expect(kindsOf([put('x', 1), inRow('x', { at: 40 }), late])).toEqual(['receipt not settled']);
    expect(kindsOf([put('x', 1), inRow('x', { at: 24_000_000 }), late])).toEqual([]);
  });

  it('a write that Redis may not have lost: it was accepted before, or by a durability that keeps it', () => {
    expect(kindsOf([put('x', 1, { at: 5, end: 10 }), lastRow(null, { at: 70 })], [loss])).toEqual([
      'lost write',
    ]);
    const safe = put('x', 1, { at: 20, end: 25, durability: 'fsynced' });
    expect(kindsOf([safe, lastRow(null, { at: 70 })], [loss])).toEqual(['lost write']);
    const stored = put('x', 1, { at: 20, end: 25, durability: 'database' });
    expect(kindsOf([stored, lastRow(null, { at: 70 })], [loss])).toContain('false receipt');
  });
});

it('what is answered after a loss may be of before it: nothing is found, but by a durability that keeps it', () => {
  const across = { at: 20, end: 40 };
  expect(kindsOf([put('x', 1, across), lastRow(null, { at: 70 })], [loss])).toEqual([]);
  expect(
    kindsOf([put('x', 1, { at: 16, end: 18 }), get('x', across), lastRow(null, { at: 70 })], [loss]),
  ).toEqual([]);
  expect(
    kindsOf([put('x', 1, { ...across, durability: 'fsynced' }), lastRow(null, { at: 70 })], [loss]),
  ).toEqual(['lost write']);
});

describe('nothing is found', () => {
  const innocent: readonly (readonly [string, readonly Partial<Op>[]])[] = [
    [
      'in reads of the last write',
      [get(null), put('x', 1), get('x'), put('y', 2), get('y', other), lastRow('y')],
    ],
    [
      'in a read that began before the write ended',
      [put('x', 1), put('y', 2, { at: 20, end: 60 }), get('x', { at: 30 }), get('y', { at: 40 })],
    ],
    [
      'in a write in doubt that comes late',
      [put('u', 0, inDoubt), put('x', 1), get('x'), get('u', other), lastRow('u')],
    ],
    ['in a write in doubt that never comes', [put('x', 1), put('u', 0, inDoubt), get('x'), lastRow('x')]],
    [
      'in a row that is behind, without a receipt',
      [put('x', 1), put('y', 2), inRow('x'), get('y'), inRow('y')],
    ],
    ['in a row that was deleted and made anew', [put('x', 1), gone(2), get(null), put('y', 3), get('y')]],
    ['in updates in a row', [put('x', 1), update('x', 'y', 2), update('y', 'z', 3), get('z')]],
    [
      'in an update of a row whose delete is in doubt',
      [put('x', 1), gone(0, inDoubt), update(null, 'z', 3), get('z')],
    ],
    [
      'in a receipt that is asked twice',
      [add(3, 1, { durability: 'database' }), { ...persisted(1), key: sum }, { ...inRow(3), key: sum }],
    ],
    ['in sums with an add in doubt', [add(3, 1), add(4, 2, inDoubt), count(7), { ...lastRow(7), key: sum }]],
    [
      'in what a killed process had begun',
      [
        put('x', 1),
        { ...put('y', 0, inDoubt), process: 'dead', end: undefined, outcome: undefined } as never,
        get('y', other),
      ],
    ],
  ];

  it.each(innocent)('%s', (_, ops) => {
    expect(kindsOf(ops)).toEqual([]);
  });

  it('in what Redis may have lost', () => {
    const ops = [
      put('x', 1, { at: 5, end: 10 }),
      put('y', 2, { at: 20, end: 25 }),
      get('y', { at: 28, end: 30 }),
      get('x', { at: 70 }),
      lastRow('x', { at: 80 }),
    ];
    expect(kindsOf(ops, [loss])).toEqual([]);
    expect(kindsOf(ops)).toContain('lost write');
  });
});
