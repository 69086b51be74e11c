/** What must be true of a lane after each step of a history. */

import type { Ledger } from './postgres.js';
import { afterAdd, afterRecord, nothing, type Row, type State, textOf, textsOf } from './row.js';
import { counterField, rowField, type Snapshot } from './snapshot.js';
import { Violation } from './world.js';

export function must(isTrue: boolean, invariant: string, detail: string): void {
  if (!isTrue) throw new Violation(invariant, detail);
}

/** Of the lane's own keys. */
export function expectLane(lane: Snapshot): void {
  const { meta, dirty, sealed, order, retries } = lane;
  let bytes = 0;
  for (const [field, content] of Object.entries(dirty)) {
    must(order.has(field) !== retries.has(field), 'FB-PLACE', `one place of ${field}`);
    if (/^[PDR]/.test(content)) bytes += content.length;
  }
  must(Number(meta.bytes ?? 0) === bytes, 'bytes', `${meta.bytes} told, ${bytes} dirty`);
  must(
    (meta.sealed !== undefined) === Object.keys(sealed).length > 0,
    'FB-ONE-BATCH',
    'a number and its batch',
  );
  must(
    !isPending(lane) || meta.due !== undefined,
    'FB-WAKE',
    'what is dirty, and nobody has promised to come',
  );
  expectWaiting(lane);
  must(
    Number(meta.dead ?? 0) === lane.dead.size,
    'dead letters',
    `${meta.dead} told, ${lane.dead.size} there`,
  );
}

export function isPending({ dirty, sealed }: Snapshot): boolean {
  return Object.keys(dirty).length + Object.keys(sealed).length > 0;
}

/** Of what waits there is something to try. */
function expectWaiting({ dirty, sealed, waiting }: Snapshot): void {
  for (const field of Object.keys(waiting)) {
    must(field in dirty || field in sealed, 'FB-DRAINED', `${field} waits, and nobody tries it again`);
  }
}

/** A row that is deleted, or made anew, comes before the deltas that were accepted after that. */
export function expectRowFirst({ dirty, order, retries }: Snapshot, id: string): void {
  const [row, deltas] = [rowField(id), counterField(id)];
  if (!/^[DR]/.test(dirty[row] ?? '') || !(deltas in dirty)) return;
  const isFirst = order.has(row)
    ? (order.get(row) as number) < (order.get(deltas) ?? Number.POSITIVE_INFINITY)
    : retries.get(row) === retries.get(deltas);
  must(isFirst, 'FB-ROW-FIRST', row);
}

/** What Redis and Postgres have of an id. */
export interface Place {
  readonly lane: Snapshot;
  readonly ledger: Ledger | undefined;
  readonly id: string;
  readonly row: Row | null;
}

/** What was accepted of an id is in one place: in Postgres, sealed, a dead letter, or dirty; together it is the table. */
export function expectOnce(place: Place, table: State): void {
  const { lane, id } = place;
  const [letter, found] = [lane.letters.get(id) ?? {}, textOf(outcomeOf(place))];
  must(found === textOf(table), 'FB-ONCE', `${id} comes to ${found}, not ${textOf(table)}`);
  // A delta waits for a row only as long as there is none.
  const isDeltaAlone = counterField(id) in letter && !(rowField(id) in letter);
  must(!isDeltaAlone || table.row === null, 'FB-DRAINED', `deltas of ${id} wait for a row that is there`);
}

/** What comes of an id once all is applied. */
function outcomeOf({ lane, ledger, id, row }: Place): State {
  const { meta, sealed, dirty, letters } = lane;
  const parts = [letters.get(id) ?? {}, dirty];
  if (meta.sealed !== undefined && !isApplied(BigInt(meta.sealed), ledger)) parts.unshift(sealed);
  return parts.reduce<State>(
    (state, part) => {
      const record = part[rowField(id)];
      const delta = part[counterField(id)];
      const next = record === undefined ? state : afterRecord(state, record);
      return delta === undefined ? next : afterAdd(next, BigInt(delta));
    },
    { row, early: 0n },
  );
}

export function isApplied(number: bigint, ledger: Ledger | undefined): boolean {
  if (ledger === undefined || ledger.batch < number) return false;
  return ledger.batch > number || !ledger.isVoid;
}

/** What is cached is what was accepted last; but what the database refuses is not shown. */
export function expectEntries({ lane, id }: Place, { row }: State): void {
  if (!lane.dead.has(rowField(id))) expectCached(lane, id, row, 'FC-FILL');
}

/** After a loss, once the lane knows of all batches: what is cached and not pending is what the database has. */
export function expectCompared({ lane, ledger, id, row }: Place): void {
  const { meta, dirty, sealed, dead } = lane;
  if (ledger && BigInt(meta.batch ?? 0) < ledger.batch) return;
  const isOpen = [rowField(id), counterField(id)].some((field) =>
    [dirty, sealed].some((part) => field in part),
  );
  if (!isOpen && !dead.has(rowField(id))) expectCached(lane, id, row, 'FB-COMPARED');
}

function expectCached({ entries }: Snapshot, id: string, row: Row | null, invariant: string): void {
  const [entry, count] = [rowField(id), counterField(id)].map((field) => entries.get(field) ?? '?') as [
    string,
    string,
  ];
  if (!entry.startsWith('?')) {
    const shown = textsOf(afterRecord(nothing, entry).row);
    must(shown === textsOf(row), invariant, `the entry of ${id} has ${shown}, not ${textsOf(row)}`);
  }
  const isCounted = count.startsWith('?') || BigInt(count) === (row?.touches ?? 0n);
  must(isCounted, invariant, `the entry of the counter of ${id} has ${count}, not ${row?.touches}`);
}
