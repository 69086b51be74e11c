/**
 * Compares entries of rows and counters with the database. One that differs is looked at again after a grace:
 * a change may just be on its way. What is pending is not compared, for the database does not have it yet.
 */
import { isDeepStrictEqual } from 'node:util';
import { parseCounterEntry, parseEntry } from '../buffer/entry.js';
import type { Lane } from '../buffer/lane.js';
import { readLanes } from '../buffer/layouts.js';
import { getMany } from '../connection/get-many.js';
import type { RedisClient } from '../connection/redis.js';
import { scanKeys } from '../connection/scan.js';
import type { Database } from '../database/database.js';
import { createCounterLoader, createRecordLoader } from '../database/load.js';
import type { CounterStore, RecordStore, Store, Stores } from '../definitions/stores.js';
import { lanesPattern, ledgerLane, splitField } from '../keys.js';
import { pause } from '../pause.js';

export interface AuditPlace {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly stores: Stores;
  readonly database: Database;
}

export interface AuditLimits {
  /** Most entries that are compared, chosen by chance. */
  readonly entriesMax: number;
  /** How long a change may be on its way. */
  readonly graceMs: number;
}

/** An entry that is not as its row. */
export interface Violation {
  readonly store: string;
  readonly id: string;
  /** In Redis. */
  readonly key: string;
  readonly entry: string;
  /** How long it would have lived, in ms. */
  readonly livesForMs: number;
}

export interface AuditReport {
  /** Entries that were compared. */
  readonly compared: number;
  /** Of the chosen, those with pending writes, leases, or of another release. */
  readonly skipped: number;
  /** That differed at first, and not after the grace. */
  readonly late: number;
  readonly violations: readonly Violation[];
}

interface EntryPlace {
  readonly key: string;
  readonly lane: Lane;
  readonly store: Store;
  readonly field: string;
  readonly idKey: string;
}

/** `skipped`: there is nothing to compare. */
type Verdict = 'same' | 'different' | 'skipped';

interface Looked extends EntryPlace {
  readonly content: string | null;
  readonly verdict: Verdict;
}

const chunkMax = 200;

/** @throws what Redis or the database throw */
export async function auditEntries(place: AuditPlace, limits: AuditLimits): Promise<AuditReport> {
  const looked: Looked[] = [];
  for (const chunk of chunks(await chooseEntries(place, limits.entriesMax)))
    looked.push(...(await lookAt(chunk, place)));
  const different = looked.filter(({ verdict }) => verdict === 'different');
  if (different.length > 0) await pause(limits.graceMs, new AbortController().signal);
  const stillDifferent: Looked[] = [];
  for (const chunk of chunks(different)) {
    const again = await lookAt(chunk, place);
    stillDifferent.push(
      ...again.filter((one, i) => one.verdict === 'different' && one.content === chunk[i]?.content),
    );
  }
  const skipped = looked.filter(({ verdict }) => verdict === 'skipped').length;
  return {
    compared: looked.length - skipped,
    skipped,
    late: different.length - stillDifferent.length,
    violations: await Promise.all(stillDifferent.map((one) => toViolation(one, place))),
  };
}

/** Each with the same chance, whatever their order (Vitter: "Random sampling with a reservoir", 1985). */
async function chooseEntries({ redis, prefix, stores }: AuditPlace, max: number): Promise<EntryPlace[]> {
  const byPrefix = new Map(
    (await readLanes(redis, stores, prefix)).all.map((lane) => [lane.keys.entryPrefix, lane]),
  );
  const chosen: EntryPlace[] = [];
  let seen = 0;
  for await (const keys of scanKeys(redis, lanesPattern(prefix))) {
    for (const key of keys) {
      const entry = entryOf(key, byPrefix, stores);
      if (entry === undefined) continue;
      const at = seen < max ? seen : Math.floor(Math.random() * (seen + 1));
      if (at < max) chosen[at] = entry;
      seen += 1;
    }
  }
  return chosen;
}

/** Undefined for what is none: the lanes' own keys, and those of stores that are not defined. */
function entryOf(key: string, byPrefix: ReadonlyMap<string, Lane>, stores: Stores): EntryPlace | undefined {
  const end = key.indexOf('}:') + 2;
  const lane = byPrefix.get(key.slice(0, end));
  const field = key.slice(end);
  const { store: name, idKey } = splitField(field);
  const store = stores.byName.get(name);
  return lane && store?.group === lane.group ? { key, lane, store, field, idKey } : undefined;
}

/** The entries first: a row that is loaded later has all that they have. */
async function lookAt(entries: readonly EntryPlace[], place: AuditPlace): Promise<Looked[]> {
  const contents = await getMany(
    place.redis,
    entries.map(({ key }) => key),
  );
  const arePending = await Promise.all(entries.map((entry) => isPending(entry, place.redis)));
  const values = await loadAll(entries, place);
  return entries.map((entry, i) => {
    const content = contents[i] ?? null;
    const verdict = arePending[i] ? 'skipped' : compare(entry, content, values[i]);
    return { ...entry, content, verdict };
  });
}

async function isPending({ lane: { keys }, field }: EntryPlace, redis: RedisClient): Promise<boolean> {
  const found = await Promise.all([keys.dirty, keys.sealed].map((key) => redis.hexists(key, field)));
  return found.includes(1);
}

/** What the database has: a row, a counter's value; undefined for nothing. */
async function loadAll(entries: readonly EntryPlace[], { database, prefix }: AuditPlace): Promise<unknown[]> {
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
  { database, prefix }: Pick<AuditPlace, 'database' | 'prefix'>,
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

function compare({ store }: EntryPlace, content: string | null, value: unknown): Verdict {
  if (store.kind === 'counter') {
    const entry = parseCounterEntry(content);
    return entry.kind === 'none' ? 'skipped' : verdictOf(entry.value === (value ?? store.initial));
  }
  const entry = parseEntry(content);
  if (entry.kind === 'none') return 'skipped';
  if (entry.kind === 'absent') return verdictOf(value === undefined);
  if (entry.release !== store.rows.release) return 'skipped';
  return verdictOf(isDeepStrictEqual(store.rows.decode(entry.json), value));
}

const verdictOf = (isSame: boolean): Verdict => (isSame ? 'same' : 'different');

async function toViolation(
  { store, idKey, key, content }: Looked,
  { redis }: AuditPlace,
): Promise<Violation> {
  return { store: store.name, id: idKey, key, entry: content ?? '', livesForMs: await redis.pttl(key) };
}

function groupBy<T, Key>(items: readonly T[], keyOf: (item: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += chunkMax) yield items.slice(i, i + chunkMax);
}
