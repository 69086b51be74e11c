/** The rows of a simulation, and what a write makes of one. */
import { splitRelease } from '../src/definitions/release.js';

export interface Row {
  readonly name: string;
  readonly note: string;
  readonly touches: bigint;
}

type Texts = Pick<Row, 'name' | 'note'>;

/** What one record has come to; deltas without a row count in the one that comes. */
export interface State {
  readonly row: Row | null;
  readonly early: bigint;
}

export const nothing: State = { row: null, early: 0n };

/** A put's JSON, or an update's, whose mark names what it writes of a row that is there. */
export function written(row: Row | undefined, { json, mark }: { json: string; mark: string }): Row {
  const { name, note } = JSON.parse(json) as Texts;
  if (!row) return { name, note, touches: 0n };
  const fields = mark === '' ? ['name', 'note'] : mark.slice(2).split(',');
  return { ...row, ...(fields.includes('name') && { name }), ...(fields.includes('note') && { note }) };
}

export function afterPut({ row, early }: State, texts: Texts): State {
  return { row: { ...texts, touches: row ? row.touches : early }, early: 0n };
}

export function afterAdd({ row, early }: State, delta: bigint): State {
  return row ? { row: { ...row, touches: row.touches + delta }, early } : { row, early: early + delta };
}

/** What a record of a lane makes of it: dirty, sealed, or a dead letter's. */
export function afterRecord(state: State, record: string): State {
  if (record.startsWith('D')) return nothing;
  const { row, early } = record.startsWith('R') ? nothing : state;
  const { json, mark } = splitRelease(record, record.indexOf('|') + 1);
  const next = written(row ?? undefined, { json, mark });
  return { row: row ? next : { ...next, touches: early }, early: 0n };
}

export const textsOf = (row: Pick<Row, 'name' | 'note'> | null): string =>
  row ? `${row.name}/${row.note}` : 'no row';

export function textOf({ row, early }: State): string {
  return `${textsOf(row)} ${(row?.touches ?? early).toString(4)}`;
}
