/**
 * The values of a counter store in the cache: those that were missed are the sum of the database's and what
 * is pending, at one point.
 */
import { parseCounterEntry, released } from '../../buffer/entry.js';
import type { Lane } from '../../buffer/lane.js';
import type { CounterClaim, CountersClaim, PendingCounter } from '../../buffer/step-replies.js';
import type { Claim, Loaded } from '../../cache/reading/port.js';
import type { CounterLoader, LoadedCounters } from '../../database/load.js';
import type { CounterStore } from '../../definitions/stores.js';
import { fieldOf, ledgerLane } from '../../keys.js';
import { type ClientContext, leaseMs } from '../context.js';
import { toLoadError } from './load-error.js';
import { type Claimed, type Description, type Standing, StorePort } from './store-port.js';

/**
 * Looks at pending deltas and row until no batch came in between; a flush cycle is far longer than a look.
 */
const looksMax = 5;

/** What is pending of counters of one lane, at one moment. */
interface LaneLook extends Omit<CountersClaim, 'counters'> {
  readonly lane: Lane;
  /** By id key. */
  readonly counters: ReadonlyMap<string, CounterClaim>;
}

interface LoadedCounter extends Loaded<bigint | null> {
  /** False when batches came in between at every look; then the value is served, and not cached. */
  readonly isExact: boolean;
}

export class CounterPort extends StorePort<bigint, LaneLook, LoadedCounter, CounterStore> {
  readonly #load: CounterLoader;

  constructor(context: ClientContext, store: CounterStore) {
    super(context, store);
    this.#load = context.loaders.counter(store);
  }

  open(_idKey: string, content: string | null): Standing<bigint> {
    const entry = parseCounterEntry(content);
    return entry.kind === 'none' ? { ...entry, kind: 'missing' } : entry;
  }

  describe(content: string | null): Description {
    const entry = parseCounterEntry(content);
    return entry.kind === 'none' ? entry : { id: '' };
  }

  protected async claim(
    lane: Lane,
    idKeys: readonly string[],
    token: string,
  ): Promise<Claimed<bigint, LaneLook>[]> {
    const seen = await this.#lookAt(lane, idKeys, token);
    return idKeys.map((idKey) => {
      const claim = seen.counters.get(idKey) as CounterClaim;
      if (claim.kind === 'value') return { kind: 'value', value: BigInt(claim.entry) };
      if (claim.kind === 'refused') return this.refused(claim, seen);
      if (claim.kind === 'closed') return { kind: 'refused', seen };
      if (claim.kind === 'moved') return claim;
      return claim.kind === 'lease'
        ? { kind: 'lease', token, seen }
        : { kind: 'wait', waitMs: claim.waitMs, seen };
    });
  }

  async #lookAt(lane: Lane, idKeys: readonly string[], token: string): Promise<LaneLook> {
    const { record } = this.store;
    const fields = idKeys.map((idKey) => this.fieldOf(idKey));
    const recordFields = idKeys.map((idKey) => (record ? fieldOf(record.name, idKey) : ''));
    const options = { token, leaseMs };
    const claims = await this.context.buffer.claimCounters(lane, fields, recordFields, options);
    const counters = new Map(idKeys.map((idKey, i) => [idKey, claims.counters[i] as CounterClaim]));
    return { ...claims, lane, counters };
  }

  async load(claims: readonly Claim<LaneLook>[]): Promise<Map<string, LoadedCounter>> {
    const loads = [...new Set(claims.map(({ seen }) => seen))].map((look) => {
      const some = claims.filter(({ seen }) => seen === look);
      return look === undefined ? this.#loadAlone(some) : this.#loadExactly(look, some);
    });
    return new Map((await Promise.all(loads)).flatMap((loaded) => [...loaded]));
  }

  /** What the database has: nobody knows what is pending. */
  async #loadAlone(claims: readonly Claim<LaneLook>[]): Promise<Map<string, LoadedCounter>> {
    const loaded = this.inLanes(
      claims.map(({ key }) => key),
      async (lane, idKeys) => {
        const { values } = await this.#loadValues(lane, idKeys);
        return idKeys.map((idKey) => values.get(idKey));
      },
    );
    const values = await Promise.all(loaded);
    return new Map(claims.map(({ key }, i) => [key, this.#toLoaded(values[i], false)]));
  }

  /** Looks at the rows, then again at what is pending and at the rows, while a batch came in between. */
  async #loadExactly(
    first: LaneLook,
    claims: readonly Claim<LaneLook>[],
  ): Promise<Map<string, LoadedCounter>> {
    const idKeys = claims.map(({ key }) => key);
    const token = claims[0]?.token ?? '';
    let look = first;
    let before: bigint | undefined;
    for (let looks = 1; ; looks++) {
      const loaded = await this.#loadValues(look.lane, idKeys);
      // No batch since the last look, and still behind the ledger: it is Redis that has lost its memory.
      const isExact = !isOvertaken(look, loaded) || (looks > 1 && look.batch === before);
      if (isExact || looks === looksMax) return this.#sum(look, loaded, idKeys, isExact);
      before = look.batch;
      look = await this.#lookAt(look.lane, idKeys, token);
      if (hasMoved(look)) return this.#loadMoved(look.lane, claims);
    }
  }

  /** What is pending by now is in other lanes. Nothing is filled: the leases were in the lane before. */
  async #loadMoved(lane: Lane, claims: readonly Claim<LaneLook>[]): Promise<Map<string, LoadedCounter>> {
    const { routes, lanes } = this.context;
    await routes.moved(lane);
    const byLane = lanes.groupBy(
      this.store,
      claims.map(({ key }) => key),
    );
    const loads = [...byLane].map(async ([now, idKeys]) => {
      const some = claims.filter(({ key }) => idKeys.includes(key)).map((claim) => ({ ...claim, token: '' }));
      const look = await this.#lookAt(now, idKeys, '');
      return hasMoved(look) ? this.#loadMoved(now, some) : this.#loadExactly(look, some);
    });
    return new Map((await Promise.all(loads)).flatMap((loaded) => [...loaded]));
  }

  #sum(
    look: LaneLook,
    loaded: LoadedCounters,
    idKeys: readonly string[],
    isExact: boolean,
  ): Map<string, LoadedCounter> {
    const sumOf = (idKey: string): bigint | undefined => {
      const claim = look.counters.get(idKey) as CounterClaim;
      return claim.kind === 'value'
        ? BigInt(claim.entry)
        : counterValue(this.store, look, claim, loaded, idKey);
    };
    return new Map(idKeys.map((idKey) => [idKey, this.#toLoaded(sumOf(idKey), isExact)]));
  }

  /** A put of the row leaves the lease of its counter standing: what is absent may not be so for others. */
  #toLoaded(value: bigint | undefined, isExact: boolean): LoadedCounter {
    const isProven = value !== undefined || this.store.record === undefined;
    return { value: value ?? null, isProven, isExact };
  }

  async #loadValues(lane: Lane, idKeys: readonly string[]): Promise<LoadedCounters> {
    try {
      return await this.#load(ledgerLane(this.context.prefix, lane.name), idKeys);
    } catch (error) {
      throw toLoadError(this.store.name, error);
    }
  }

  /** What has no value is not cached: its row may come without a word to the counter. */
  protected contentOf({ value, isExact }: LoadedCounter): string {
    return value !== null && isExact ? value.toString() : released;
  }
}

function hasMoved({ counters }: LaneLook): boolean {
  return [...counters.values()].some(({ kind }) => kind === 'moved');
}

/** Whether a batch that was sealed after the look at the lane is in the row already. */
export function isOvertaken(claimed: Pick<CountersClaim, 'batch'>, loaded: LoadedCounters): boolean {
  return loaded.batch !== undefined && (claimed.batch === undefined || loaded.batch > claimed.batch);
}

/**
 * A counter's value from the row and what was pending before the row was read. The ledger's number, read with
 * the row, tells whether the row holds the sealed batch. Undefined when there is no row and none is on its
 * way.
 */
export function counterValue(
  store: Pick<CounterStore, 'initial' | 'record'>,
  claimed: Pick<CountersClaim, 'sealed'>,
  pending: PendingCounter,
  loaded: LoadedCounters,
  idKey: string,
): bigint | undefined {
  const { dirtyRecord, dirtyDelta } = pending;
  const isSealedApplied =
    claimed.sealed === undefined ||
    (loaded.batch !== undefined && loaded.batch >= claimed.sealed && !loaded.voids?.has(claimed.sealed));
  const sealedRecord = isSealedApplied ? '' : pending.sealedRecord;
  const sealedDelta = isSealedApplied ? 0n : pending.sealedDelta;
  // What is dirty comes after what is sealed: a dirty delete or replacement makes the rest irrelevant.
  if (dirtyRecord === 'D') return undefined;
  if (dirtyRecord === 'R') return store.initial + dirtyDelta;
  // What was counted before the deletion has left the lane with it; the rest counts in the row that comes.
  if (sealedRecord === 'D') return dirtyRecord === 'P' ? store.initial + sealedDelta + dirtyDelta : undefined;
  const row = sealedRecord === 'R' ? store.initial : loaded.values.get(idKey);
  const delta = sealedDelta + dirtyDelta;
  if (row !== undefined) return row + delta;
  const isRowComing = store.record ? dirtyRecord === 'P' || sealedRecord === 'P' : delta !== 0n;
  return isRowComing ? store.initial + delta : undefined;
}
