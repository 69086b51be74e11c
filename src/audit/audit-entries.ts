/** Compares entries, all or some that chance has chosen, with the database, and reports those that differ. */
import { readLanes } from '../buffer/layouts.js';
import type { RedisClient } from '../connection/redis.js';
import { scanKeys } from '../connection/scan.js';
import type { Stores } from '../definitions/stores.js';
import { lanesPattern } from '../keys.js';
import { type Compared, type ComparedPlace, compareEntries } from './compare-entries.js';
import { type EntryPlace, EntryPlaces } from './entry-places.js';

export interface AuditPlace extends ComparedPlace {
  readonly stores: Stores;
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

/** @throws what Redis or the database throw */
export async function auditEntries(place: AuditPlace, limits: AuditLimits): Promise<AuditReport> {
  const { graceMs, entriesMax } = limits;
  const { signal } = new AbortController();
  const compared = await compareEntries(await chooseEntries(place, entriesMax), place, { graceMs, signal });
  const of = (verdict: Compared['verdict']) => compared.filter((one) => one.verdict === verdict);
  const skipped = of('skipped').length;
  return {
    compared: compared.length - skipped,
    skipped,
    late: of('late').length,
    violations: await Promise.all(of('stale').map((one) => toViolation(one, place.redis))),
  };
}

/** Each with the same chance, whatever their order (Vitter: "Random sampling with a reservoir", 1985). */
async function chooseEntries({ redis, prefix, stores }: AuditPlace, max: number): Promise<EntryPlace[]> {
  const places = new EntryPlaces(await readLanes(redis, stores, prefix), stores);
  const chosen: EntryPlace[] = [];
  let seen = 0;
  for await (const keys of scanKeys(redis, lanesPattern(prefix))) {
    for (const key of keys) {
      const entry = places.of(key);
      if (entry === undefined) continue;
      const at = seen < max ? seen : Math.floor(Math.random() * (seen + 1));
      if (at < max) chosen[at] = entry;
      seen += 1;
    }
  }
  return chosen;
}

async function toViolation({ store, idKey, key, content }: Compared, redis: RedisClient): Promise<Violation> {
  return { store: store.name, id: idKey, key, entry: content ?? '', livesForMs: await redis.pttl(key) };
}
