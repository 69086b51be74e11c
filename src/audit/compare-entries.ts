/**
 * Compares entries of rows and counters with the database. One that differs is looked at again after a grace:
 * a change may just be on its way. What is pending is not compared, for the database does not have it yet.
 */
import { isDeepStrictEqual } from 'node:util';
import { parseCounterEntry, parseEntry } from '../buffer/entry.js';
import { getMany } from '../connection/get-many.js';
import type { RedisClient } from '../connection/redis.js';
import type { Database } from '../database/database.js';
import { createCounterLoader, createRecordLoader } from '../database/load.js';
import type { CounterStore, RecordStore } from '../definitions/stores.js';
import { ledgerLane } from '../keys.js';
import { pause } from '../pause.js';
import type { EntryPlace } from './entry-places.js';

export interface ComparedPlace {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly database: Database;
}

export interface Grace {
  /** How long a change may be on its way. */
  readonly graceMs: number;
  /** Ends the wait for that. */
  readonly signal: AbortSignal;
}

/**
 * - `late`: it differed at first, and not after the grace
 * - `stale`: it still differs, unchanged
 * - `skipped`: there is nothing to compare: it is pending, leased, gone or of another release
 */
export type Verdict = 'same' | 'late' | 'stale' | 'skipped';

export interface Compared extends EntryPlace {
  readonly verdict: Verdict;
  /** As it was at first. */
  readonly content: string | null;
}

interface Looked extends EntryPlace {
  readonly content: string | null;
  readonly found: 'same' | 'different' | 'skipped';
}

const chunkMax = 200;

/** In their order. @throws what Redis or the database throw */
export async function compareEntries(
  entries: readonly EntryPlace[],
  place: ComparedPlace,
  { graceMs, signal }: Grace,
): Promise<Compared[]> {
  const looked = await lookAtAll(entries, place);
  const different = looked.filter(({ found }) => found === 'different');
  if (different.length > 0) await pause(graceMs, signal);
  const again = await lookAtAll(different, place);
  const stale = new Set(
    different.filter(({ content }, i) => again[i]?.found === 'different' && again[i]?.content === content),
  );
  return looked.map((one) => {
    const { found, ...entry } = one;
    if (found !== 'different') return { ...entry, verdict: found };
    return { ...entry, verdict: stale.has(one) ? 'stale' : 'late' };
  });
}

async function lookAtAll(entries: readonly EntryPlace[], place: ComparedPlace): Promise<Looked[]> {
  const looked: Looked[] = [];
  for (let i = 0; i < entries.length; i += chunkMax)
    looked.push(...(await lookAt(entries.slice(i, i + chunkMax), place)));
  return looked;
}

/** The entries first: a row that is loaded later has all that they have. */
async function lookAt(entries: readonly EntryPlace[], place: ComparedPlace): Promise<Looked[]> {
  const contents = await getMany(
    place.redis,
    entries.map(({ key }) => key),
  );
  const arePending = await Promise.all(entries.map((entry) => isPending(entry, place.redis)));
  const values = await loadAll(entries, place);
  return entries.map((entry, i) => {
    const content = contents[i] ?? null;
    const found = arePending[i] ? 'skipped' : compare(entry, content, values[i]);
    return { ...entry, content, found };
  });
}

async function isPending({ lane: { keys }, field }: EntryPlace, redis: RedisClient): Promise<boolean> {
  const found = await Promise.all([keys.dirty, keys.sealed].map((key) => redis.hexists(key, field)));
  return found.includes(1);
}

/** What the database has: a row, a counter's value; undefined for nothing. */
async function loadAll(
  entries: readonly EntryPlace[],
  { database, prefix }: ComparedPlace,
): Promise<unknown[]> {
  const values = new Map<EntryPlace, unknown>();
  for (const [store, some] of groupBy(entries, ({ store }) => store)) {
    if (store.kind === 'record') await loadRows(store, some, database, values);
    else await loadCounters(store, some, { database, prefix }, values);
  }
  return entries.map((entry) => values.get(entry));
}

async function loadRows(
  store: RecordStore,
  entries: readonly EntryPlace[],
  database: Database,
  values: Map<EntryPlace, unknown>,
): Promise<void> {
  const rows = await createRecordLoader(store, database)(entries.map(({ idKey }) => idKey));
  for (const entry of entries) values.set(entry, rows.get(entry.idKey)?.row);
}

async function loadCounters(
  store: CounterStore,
  entries: readonly EntryPlace[],
  { database, prefix }: Pick<ComparedPlace, 'database' | 'prefix'>,
  values: Map<EntryPlace, unknown>,
): Promise<void> {
  const load = createCounterLoader(store, database);
  for (const [lane, some] of groupBy(entries, (entry) => entry.lane)) {
    const loaded = await load(
      ledgerLane(prefix, lane.name),
      some.map(({ idKey }) => idKey),
    );
    for (const entry of some) values.set(entry, loaded.values.get(entry.idKey));
  }
}

function compare({ store }: EntryPlace, content: string | null, value: unknown): Looked['found'] {
  if (store.kind === 'counter') {
    const entry = parseCounterEntry(content);
    return entry.kind === 'none' ? 'skipped' : foundOf(entry.value === (value ?? store.initial));
  }
  const entry = parseEntry(content);
  if (entry.kind === 'none') return 'skipped';
  if (entry.kind === 'absent') return foundOf(value === undefined);
  if (entry.release !== store.rows.release) return 'skipped';
  return foundOf(isDeepStrictEqual(store.rows.decode(entry.json), value));
}

const foundOf = (isSame: boolean): Looked['found'] => (isSame ? 'same' : 'different');

function groupBy<T, Key>(items: readonly T[], keyOf: (item: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
