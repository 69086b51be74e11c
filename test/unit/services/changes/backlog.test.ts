import { expect, it } from 'vitest';
import type { Store } from '../../../../src/definitions/stores.js';
import { Backlog } from '../../../../src/services/changes/backlog.js';
import { Touched } from '../../../../src/services/changes/touched.js';
import type { ChangedRows } from '../../../../src/services/changes/transactions.js';

const group = { name: 'clients' } as Store;

function changed(lsn: number, ids: readonly string[] = [`${lsn}`]): ChangedRows {
  const rows = new Touched<Store>();
  for (const id of ids) rows.add(group, id);
  return {
    xids: [lsn],
    transactions: 1,
    firstLsn: BigInt(lsn),
    lsn: BigInt(lsn),
    committedAtMs: 1_000 + lsn,
    rows,
    values: new Touched(),
  };
}

function backlogOf(...lsns: number[]): Backlog {
  const backlog = new Backlog();
  backlog.beginAt(100n);
  for (const lsn of lsns) backlog.add(changed(lsn));
  backlog.sentUpTo(BigInt(lsns.at(-1) ?? 100));
  return backlog;
}

const seeing = (...xids: number[]) => ({ sees: (xid: number) => xids.includes(xid) });

it('is done up to what is not seen yet, though what came later is', () => {
  const backlog = backlogOf(110, 120, 130);
  expect(backlog.doneUpTo).toBe(109n);
  const seen = backlog.seenBy(seeing(110, 130));
  backlog.remove(seen);
  expect(backlog.doneUpTo).toBe(119n);
  expect(backlog.from).toBe(130n);
  backlog.remove(backlog.seenBy(seeing(120)));
  expect(backlog.doneUpTo).toBe(130n);
  backlog.sentUpTo(150n);
  expect(backlog.doneUpTo).toBe(150n);
});

it('leaves what another reader has told to be past', () => {
  const backlog = backlogOf(110, 120, 130);
  backlog.removeUpTo(120n);
  expect(backlog.from).toBe(120n);
  expect(backlog.seenBy({ sees: () => true }).map(({ lsn }) => lsn)).toEqual([130n]);
});

it('becomes one change of all rows when it is too large, and is past none of it before the last', () => {
  const backlog = new Backlog();
  backlog.beginAt(100n);
  const many = (start: number) => Array.from({ length: 50_000 }, (_, i) => `${start + i}`);
  for (const lsn of [110, 120, 130, 140, 150]) backlog.add(changed(lsn, many(lsn * 100_000)));
  const [one, ...others] = backlog.seenBy({ sees: () => true });
  expect(others).toEqual([]);
  expect([...(one?.rows.entries() ?? [])]).toEqual([[group, 'all']]);
  expect(one).toMatchObject({ transactions: 5, firstLsn: 110n, lsn: 150n, committedAtMs: 1_110 });
  expect(backlog.doneUpTo).toBe(109n);
  backlog.removeUpTo(149n);
  expect(backlog.isEmpty).toBe(false);
});
