/** What receipts say, and whether it is true. */

import type { Lane } from '../src/buffer/lane.js';
import type { AcceptedAt } from '../src/buffer/lane-state.js';
import { fateOf, isInLedger } from '../src/client/receipts/fate.js';
import type { ReceiptDesk } from '../src/client/receipts/receipt.js';
import { readLedgers } from '../src/database/ledger.js';
import { isForebayError } from '../src/errors.js';
import { must } from './invariants.js';
import { type Row, type State, textsOf } from './row.js';
import type { Asked, Table } from './table.js';
import { prefix, type World } from './world.js';

type Said = 'persisted' | 'lost' | 'pending';

/** Asks at once, where an app's receipts wait for announcements. */
export function deskOf(world: World): ReceiptDesk {
  const fateNow = async (lane: Lane, at: AcceptedAt) =>
    fateOf({ ...at, isFlush: false }, await world.buffer.inspect(lane));
  const persisted = async (lane: Lane, at: AcceptedAt): Promise<string> => {
    const fate = await fateNow(lane, at);
    if (fate === 'pending') return 'late';
    if (fate !== 'unknown') return fate;
    const ledgers = await readLedgers(world.postgres.database, prefix, [lane]);
    if (isInLedger({ ...at, isFlush: false }, ledgers.get(lane))) return 'persisted';
    const later = await fateNow(lane, at);
    if (later === 'pending') return 'late';
    return later === 'unknown' ? 'lost' : later;
  };
  return { buffer: world.buffer, emit: () => undefined, watch: { persisted, fateNow } as never };
}

async function ask({ receipt }: Asked): Promise<Said> {
  try {
    await receipt.persisted({ timeoutMs: 0 });
    return 'persisted';
  } catch (error) {
    if (isForebayError(error, 'WRITE_LOST')) return 'lost';
    const isOpen = ['PERSIST_TIMEOUT', 'COUNTER_ROW_MISSING', 'DATABASE_REFUSED'];
    if (isForebayError(error) && isOpen.includes(error.code)) return 'pending';
    throw error;
  }
}

/** A receipt that resolves tells the truth; where Redis has lost nothing, none tells of a loss. */
export async function expectReceipts(
  world: World,
  id: string,
  table: Table,
  asked: readonly Asked[],
): Promise<void> {
  const persisted: Asked[] = [];
  for (const one of asked) {
    const said = await ask(one);
    must(!world.isWhole || said !== 'lost', 'no false WRITE_LOST', id);
    if (said === 'persisted') persisted.push(one);
  }
  if (!table.isJudged) return;
  if (world.isWhole) expectReached(world.postgres.state.rows.get(id), id, table, persisted);
  else expectKept(world, id, table, persisted);
}

function expectReached(row: Row | undefined, id: string, table: Table, persisted: readonly Asked[]): void {
  const since = (isAdd: boolean): State[] =>
    table.states.slice(
      Math.max(0, ...persisted.filter((one) => one.isAdd === isAdd).map((one) => table.countedAt(one))),
    );
  const texts = textsOf(row ?? null);
  const isReached = since(false).some((state) => textsOf(state.row) === texts);
  must(isReached, 'FB-WATERMARK', `a receipt of ${id} has resolved, and the row has ${texts}`);
  const sums = since(true).map((state) => state.row?.touches);
  // A row that is made anew may come before its deltas.
  if (sums.includes(undefined)) sums.push(0n);
  must(
    sums.includes(row?.touches),
    'FB-WATERMARK',
    `a delta's receipt of ${id} has resolved, the sum is ${row?.touches}`,
  );
}

/** After a loss: what a receipt says is in the database has been there, or something that came later. */
function expectKept({ postgres }: World, id: string, table: Table, persisted: readonly Asked[]): void {
  const { texts, deltas } = postgres.state;
  for (const { at, text, delta } of persisted) {
    const later = table.receipts.filter((one) => one.at >= at);
    const isEnded = later.some((one) => !one.isAdd && one.text === undefined);
    if (isEnded) continue;
    const isThere = later.some((one) => one.text !== undefined && texts.has(one.text));
    if (text !== undefined) must(isThere, 'WRITE_LOST rather than a lie', `write ${text} of ${id}`);
    if (delta !== undefined)
      must(((deltas.get(id) ?? 0n) & delta) !== 0n, 'WRITE_LOST rather than a lie', `delta of ${id}`);
  }
}
