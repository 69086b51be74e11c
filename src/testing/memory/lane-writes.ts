/**
 * What becomes of a write: the rules of `src/buffer/lua/write.lua` for a lane that is never sealed. The
 * conformance suite holds the two to each other.
 */
import { parseEntry } from '../../buffer/entry.js';
import type { Lane } from '../../buffer/lane.js';
import type { Refused, Write, WriteReply } from '../../buffer/step-replies.js';
import { entryTtlMs } from '../../definitions/entry-ttl.js';
import { joinMembers, membersOf } from '../../definitions/json-members.js';
import { parseMark, splitRelease } from '../../definitions/release.js';
import { splitField } from '../../keys.js';
import type { MemoryEntries } from './entries.js';
import type { LaneMemory, PendingRow } from './lane-memory.js';

export interface WritePlace {
  readonly lane: Lane;
  readonly memory: LaneMemory;
  readonly entries: MemoryEntries;
  readonly nowMs: number;
}

/** What is known of a row: pending, or cached. */
interface KnownRow {
  readonly version: bigint;
  readonly release: string;
  /** Undefined: it is known to be absent. */
  readonly values: ReadonlyMap<string, string> | undefined;
}

const int64Max = 2n ** 63n - 1n;

export function acceptWrite(place: WritePlace, write: Write): WriteReply {
  switch (write.op) {
    case 'put':
      return acceptPut(place, write, write.payload);
    case 'put-if':
      return acceptPutIf(place, write);
    case 'patch':
      return acceptPatch(place, write);
    case 'delete':
      return acceptDelete(place, write);
    case 'add':
      return acceptAdd(place, write);
    case 'forget':
      return forgetDeltas(place, write);
    case 'together':
      return { version: String(place.memory.nextVersion(place.nowMs)) };
  }
}

/** Why writes that belong together are refused: what keeps one of them out. */
export function refusalOf(place: WritePlace, writes: readonly Write[]): Refused | undefined {
  for (const write of writes) {
    const refused = conflictOf(place, write) ?? overflowOf(place, write);
    if (refused) return refused;
  }
  const { memory, lane } = place;
  const added = writes.filter(({ op, field }) => op !== 'forget' && !memory.isPending(field)).length;
  return added > 0 && memory.dirty + added > lane.group.dirtyMax ? { refused: 'full' } : undefined;
}

function conflictOf(place: WritePlace, { op, field, payload }: Write): Refused | undefined {
  if (op === 'put-if') return conflictWith(place, field, payload.slice(0, payload.indexOf('|')));
  if (op === 'patch') return patchConflict(knownRow(place, field), releaseOfPatch(payload));
  return op === 'delete' && payload !== '' ? conflictWith(place, field, payload) : undefined;
}

/** What there is of a counter comes together once its row is put: what has one sign must fit. */
function overflowOf({ memory }: WritePlace, { op, field, payload }: Write): Refused | undefined {
  if (op !== 'add') return undefined;
  const [delta = '', row = ''] = payload.split('|', 2);
  const sum = (memory.deltas.get(field)?.delta ?? 0n) + BigInt(delta);
  const dead = memory.letters.get(row)?.deltas.get(field) ?? 0n;
  const total = dead < 0n === sum < 0n ? sum + dead : sum;
  return total > int64Max || total < -int64Max - 1n ? { refused: 'overflow' } : undefined;
}

function deltaIn(payload: string): bigint {
  return BigInt(payload.split('|', 1)[0] as string);
}

function acceptPut(place: WritePlace, write: Write, payload: string): WriteReply {
  const { release, mark, json } = splitRelease(payload);
  const own = membersOf(json);
  const { replaced } = parseMark(mark, [...own.keys()]);
  const isUpdate = mark[1] === '+';
  const left = isUpdate ? [] : leftNames(mark);
  const known = left.length === 0 ? undefined : knownRow(place, write.field)?.values;
  const kept = left.flatMap((name) => (known?.has(name) ? [[name, known.get(name) as string] as const] : []));
  return setRow(place, write, { release, values: new Map([...own, ...kept]), replaced });
}

/** Columns that a put leaves to a row that is there. */
function leftNames(mark: string): string[] {
  return mark === '' ? [] : mark.slice(2).replaceAll('~', '').split(',');
}

function acceptPutIf(place: WritePlace, write: Write): WriteReply {
  const own = write.payload.slice(write.payload.indexOf('|') + 1);
  return conflictOf(place, write) ?? acceptPut(place, write, own);
}

function releaseOfPatch(payload: string): string {
  return payload.slice(0, payload.indexOf('\n')).split(';', 1)[0] as string;
}

function patchConflict(known: KnownRow | undefined, release: string): Refused | undefined {
  if (known === undefined) return { refused: 'conflict', found: undefined };
  const isOfIt = known.values !== undefined && known.release === release;
  return isOfIt ? undefined : { refused: 'conflict', found: String(known.version) };
}

function acceptPatch(place: WritePlace, write: Write): WriteReply {
  const lineEnd = write.payload.indexOf('\n');
  const release = releaseOfPatch(write.payload);
  const conflict = conflictOf(place, write);
  if (conflict) return conflict;
  const { values = new Map<string, string>() } = knownRow(place, write.field) ?? {};
  const changed = membersOf(`{${write.payload.slice(lineEnd + 1).replace(',', '')}}`);
  // Rows without a model are written whole.
  const replaced = release === '' ? [...values.keys(), ...changed.keys()] : [...changed.keys()];
  return setRow(place, write, { release, values: new Map([...values, ...changed]), replaced });
}

function acceptDelete(place: WritePlace, write: Write): WriteReply {
  const { op, field } = write;
  const { memory } = place;
  const conflict = conflictOf(place, write);
  if (conflict) return conflict;
  if (isFull(place, field)) return { refused: 'full' };
  const version = memory.nextVersion(place.nowMs);
  const since = memory.rows.get(field)?.since ?? version;
  const row: PendingRow = { kind: 'D', version, since, release: '', values: new Map(), written: new Set() };
  memory.rows.set(field, row);
  writeEntry(place, { op, field }, row);
  memory.letters.delete(field);
  return { version: String(version) };
}

function acceptAdd(place: WritePlace, write: Write): WriteReply {
  const { field } = write;
  const { memory } = place;
  if (isFull(place, field)) return { refused: 'full' };
  const overflow = overflowOf(place, write);
  if (overflow) return overflow;
  const delta = deltaIn(write.payload);
  const version = memory.nextVersion(place.nowMs);
  memory.add(field, delta, version);
  addToEntry(place, field, delta);
  return { version: String(version) };
}

/** With the row that is deleted by the write before it. */
function forgetDeltas({ memory, entries, lane }: WritePlace, { field }: Write): WriteReply {
  memory.deltas.delete(field);
  entries.delete(lane.keys.entryPrefix + field);
  return { version: String(memory.version) };
}

interface NewRow {
  readonly release: string;
  readonly values: ReadonlyMap<string, string>;
  readonly replaced: readonly string[];
}

/** A put over a pending delete is a replacement: the row is deleted and made anew. */
function setRow(
  place: WritePlace,
  { op, field }: Pick<Write, 'op' | 'field'>,
  { release, values, replaced }: NewRow,
): WriteReply {
  const { memory, nowMs } = place;
  if (isFull(place, field)) return { refused: 'full' };
  const pending = memory.rows.get(field);
  const version = memory.nextVersion(nowMs);
  const kind = pending !== undefined && pending.kind !== 'P' ? 'R' : 'P';
  const written = new Set(kind === 'R' ? values.keys() : [...(pending?.written ?? []), ...replaced]);
  const row: PendingRow = { kind, version, since: pending?.since ?? version, release, values, written };
  memory.rows.set(field, row);
  writeEntry(place, { op, field }, row);
  countMissed(place, field);
  return { version: String(version) };
}

/** It is changed where one stands, and made for an update, which has read the row. */
function writeEntry(
  { entries, lane }: WritePlace,
  { op, field }: Pick<Write, 'op' | 'field'>,
  row: PendingRow,
): void {
  const key = lane.keys.entryPrefix + field;
  const { store } = splitField(field);
  const { ttlMs = 1, cacheOnWrite = false } = lane.group.records.find(({ name }) => name === store) ?? {};
  const isThere = entries.get(key) !== null;
  const isDelete = row.kind === 'D';
  if (cacheOnWrite || op === 'put-if' || (isThere && isDelete))
    entries.set(key, recordOf(row), entryTtlMs(ttlMs, isDelete));
  else if (isThere) entries.replace(key, recordOf(row));
}

/** A pending row as it stands in an entry. */
export function recordOf({ kind, version, release, values }: PendingRow): string {
  return kind === 'D' ? `D${version}|` : `${kind}${version}|${release}${joinMembers(values)}`;
}

/** Deltas that came before their row count in it. */
function countMissed(place: WritePlace, rowField: string): void {
  const letter = place.memory.letters.get(rowField);
  if (letter === undefined) return;
  place.memory.letters.delete(rowField);
  for (const [field, delta] of letter.deltas) {
    place.memory.add(field, delta, letter.since);
    addToEntry(place, field, delta);
  }
}

function addToEntry({ entries, lane }: WritePlace, field: string, delta: bigint): void {
  const key = lane.keys.entryPrefix + field;
  const content = entries.get(key);
  if (content === null) return;
  if (/^-?\d+$/.test(content)) entries.replace(key, String(BigInt(content) + delta));
  else entries.delete(key);
}

function isFull({ memory, lane }: WritePlace, field: string): boolean {
  return !memory.isPending(field) && memory.dirty >= lane.group.dirtyMax;
}

function conflictWith(place: WritePlace, field: string, version: string): Refused | undefined {
  const found = knownRow(place, field)?.version;
  if (found === undefined) return { refused: 'conflict', found };
  return String(found) === version ? undefined : { refused: 'conflict', found: String(found) };
}

function knownRow({ memory, entries, lane }: WritePlace, field: string): KnownRow | undefined {
  const pending = memory.rows.get(field);
  if (pending) return pending.kind === 'D' ? { ...pending, values: undefined } : pending;
  const entry = parseEntry(entries.get(lane.keys.entryPrefix + field));
  if (entry.kind === 'none') return undefined;
  const version = BigInt(entry.version);
  if (entry.kind === 'absent') return { version, release: '', values: undefined };
  return { version, release: entry.release, values: membersOf(entry.json) };
}
