/**
 * Compares a few entries with their rows now and then, so that somebody sees whether what is promised holds:
 * that an entry is as its row within a second. Only entries of tables whose changes are heard of.
 */
import { type Compared, type ComparedPlace, compareEntries } from '../../audit/compare-entries.js';
import { type EntryPlace, EntryPlaces } from '../../audit/entry-places.js';
import type { Lanes } from '../../buffer/lane.js';
import type { LaneRoutes } from '../../buffer/lane-follower.js';
import { EndlessScan } from '../../connection/scan.js';
import type { LaneGroup, Stores } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import { lanesPattern } from '../../keys.js';

export interface EntryAuditDependencies extends ComparedPlace {
  readonly stores: Stores;
  readonly lanes: Lanes;
  readonly routes: Pick<LaneRoutes, 'refresh'>;
  /** Those that are audited. */
  readonly groups: readonly LaneGroup[];
  readonly emit: Emit;
  /** Aborted when the worker is to stop. */
  readonly signal: AbortSignal;
}

/** These bound what an audit costs, however many keys there are. */
const stepsMax = 3;
const keysOfStep = 200;
const entriesMax = 10;
const graceMs = 1_000;

export class EntryAudit {
  readonly #dependencies: EntryAuditDependencies;
  readonly #scan: EndlessScan;
  readonly #groups: ReadonlySet<LaneGroup>;

  constructor(dependencies: EntryAuditDependencies) {
    const { redis, groups } = dependencies;
    this.#dependencies = dependencies;
    this.#scan = new EndlessScan(redis);
    this.#groups = new Set(groups);
  }

  /** Compares some, and tells of them; throws nothing. */
  async run(): Promise<void> {
    const { signal, emit } = this.#dependencies;
    try {
      const compared = await compareEntries(await this.#choose(), this.#dependencies, { graceMs, signal });
      if (!signal.aborted) this.#tell(compared);
    } catch (error) {
      if (!signal.aborted) emit({ type: 'entries.not-audited', error });
    }
  }

  /** By chance, of those that the next steps of a walk over all keys find. */
  async #choose(): Promise<EntryPlace[]> {
    const { lanes, stores, routes, prefix } = this.#dependencies;
    // What lanes that are no more have left is read by nobody.
    await routes.refresh();
    const places = new EntryPlaces(lanes, stores);
    const pattern = lanesPattern(prefix);
    const found: EntryPlace[] = [];
    for (let step = 0; step < stepsMax && found.length < entriesMax; step++) {
      const keys = await this.#scan.next(pattern, keysOfStep);
      const entries = keys.flatMap((key) => places.of(key) ?? []);
      found.push(...entries.filter(({ lane }) => this.#groups.has(lane.group)));
    }
    return someOf(found, entriesMax);
  }

  #tell(compared: readonly Compared[]): void {
    const { emit } = this.#dependencies;
    const counts = new Map<string, { consistent: number; stale: number }>();
    for (const { store, idKey, verdict } of compared) {
      if (verdict === 'skipped') continue;
      const isStale = verdict === 'stale';
      const count = counts.get(store.name) ?? { consistent: 0, stale: 0 };
      count[isStale ? 'stale' : 'consistent'] += 1;
      counts.set(store.name, count);
      if (isStale) emit({ type: 'entry.stale', store: store.name, id: idKey });
    }
    for (const [store, count] of counts) emit({ type: 'entries.audited', store, ...count });
  }
}

function someOf<T>(all: readonly T[], max: number): T[] {
  const rest = [...all];
  const some: T[] = [];
  while (some.length < max && rest.length > 0)
    some.push(...rest.splice(Math.floor(Math.random() * rest.length), 1));
  return some;
}
