/**
 * What the loads of rows and of counters have in common: entries that stand in lanes, claimed and filled with
 * one call for each lane.
 */
import { randomUUID } from 'node:crypto';
import { absentEntry, released } from '../../buffer/entry.js';
import type { Lane } from '../../buffer/lane.js';
import type { Fill as Write } from '../../buffer/step-replies.js';
import type { LoadContext } from '../../cache/reading/loading.js';
import type { Claim, Fill, Filled, Lease, Loaded, Look, Port } from '../../cache/reading/port.js';
import type { CacheCounts } from '../../cache-statistics.js';
import { isAway, toReadError } from '../../connection/redis.js';
import { refusalOf } from '../../connection/refusals.js';
import { entryTtlMs } from '../../definitions/entry-ttl.js';
import type { OnRedisAway } from '../../definitions/record.js';
import type { CounterStore, RecordStore } from '../../definitions/stores.js';
import { fieldOf } from '../../keys.js';
import { type ClientContext, leaseMs, loadTimeoutMs } from '../context.js';

/** What an entry says; `missing`: with the token of whoever loads it. */
export type Standing<Value> =
  | { readonly kind: 'value'; readonly value: Value | null }
  | { readonly kind: 'missing'; readonly lease?: string };

/** What is told of an entry. */
export interface Description {
  /** Of the value: a row's version, '' for a counter, which has none; undefined when there is no value. */
  readonly id?: string;
  /** The token of whoever loads it. */
  readonly lease?: string;
}

type AnyStore = RecordStore | CounterStore;

/** What a claim of an entry found; `moved`: nothing, for the store has another number of lanes. */
export type Claimed<Value, Seen> = Look<Value | null, Seen> | { readonly kind: 'moved' };

export abstract class StorePort<
  Value,
  Seen,
  L extends Loaded<Value | null>,
  Store extends AnyStore = AnyStore,
> implements Port<Value | null, Seen, L>
{
  readonly loadTimeoutMs = loadTimeoutMs;
  readonly leaseMs = leaseMs;
  readonly isLeaseProof = true;
  readonly onRedisAway: OnRedisAway;
  protected readonly context: ClientContext;
  protected readonly store: Store;

  constructor(context: ClientContext, store: Store) {
    this.context = context;
    this.store = store;
    this.onRedisAway = store.onRedisAway;
  }

  abstract open(idKey: string, content: string | null): Standing<Value> | Promise<Standing<Value>>;

  abstract describe(content: string | null): Description;

  abstract load(claims: readonly Claim<Seen>[], context: LoadContext): Promise<ReadonlyMap<string, L>>;

  protected abstract claim(
    lane: Lane,
    idKeys: readonly string[],
    token: string,
  ): Promise<Claimed<Value, Seen>[]>;

  /** The entry's, or `released`. */
  protected abstract contentOf(loaded: L): string;

  /** The key of the entry. */
  nameOf(idKey: string): string {
    return this.context.lanes.entryKeyOf(this.store, idKey);
  }

  countsOf(): { -readonly [K in keyof CacheCounts]: CacheCounts[K] } {
    return this.context.reading.statistics.of(this.store.name);
  }

  look(idKeys: readonly string[]): Promise<Look<Value | null, Seen>>[] {
    const token = randomUUID();
    return this.inLanes(idKeys, (lane, keys) => this.#tryClaim(lane, keys, token));
  }

  /** All of one look. */
  renew(leases: readonly Lease[]): Promise<Look<Value | null, Seen>>[] {
    const keys = leases.map(({ key }) => key);
    return this.inLanes(keys, (lane, some) => this.#tryClaim(lane, some, leases[0]?.token as string));
  }

  async #tryClaim(lane: Lane, idKeys: readonly string[], token: string): Promise<Look<Value | null, Seen>[]> {
    try {
      const claimed = await this.context.breaker.run(() => this.claim(lane, idKeys, token));
      if (claimed.every(isFound)) return claimed;
      await this.context.routes.moved(lane);
      // Not known here: it is looked for again, where it is now.
      return idKeys.map(() => ({ kind: 'value', value: undefined }));
    } catch (cause) {
      this.countsOf().errors += 1;
      const error = toReadError(cause);
      if (!isAway(error)) throw error;
      return idKeys.map(() => ({ kind: 'away', error }));
    }
  }

  /** All under the token of one look. */
  fill(loads: readonly Filled<L>[]): Promise<Fill>[] {
    const byKey = new Map(loads.map((one) => [one.key, one]));
    const write = ({ key, loaded }: Filled<L>): Write => this.#toWrite(key, loaded);
    return this.inLanes([...byKey.keys()], (lane, keys) =>
      this.#fill(
        lane,
        loads[0]?.token as string,
        keys.map((key) => write(byKey.get(key) as Filled<L>)),
      ),
    );
  }

  async release(leases: readonly Lease[]): Promise<void> {
    const toRelease = (key: string): Write => ({ field: this.fieldOf(key), content: released, ttlMs: 1 });
    const keys = leases.map(({ key }) => key);
    await Promise.all(
      this.inLanes(keys, (lane, some) => this.#fill(lane, leases[0]?.token as string, some.map(toRelease))),
    );
  }

  /** A server that takes no writes answers reads: out of memory, say, or a replica by now. */
  protected refused({ words }: { readonly words: string }, seen: Seen): Look<Value | null, Seen> {
    this.countsOf().errors += 1;
    this.context.emit({ type: 'fill.failed', store: this.store.name, error: refusalOf(words) });
    return { kind: 'refused', seen };
  }

  /** Whether what was written may not be in the database yet. */
  isPending(idKey: string): Promise<boolean> {
    const lane = this.context.lanes.ofRecord(this.store, idKey);
    return this.context.buffer.isPending(lane, this.fieldOf(idKey));
  }

  protected fieldOf(idKey: string): string {
    return fieldOf(this.store.name, idKey);
  }

  /** One call for each lane: the reply for each key, in their order. */
  protected inLanes<T>(
    idKeys: readonly string[],
    call: (lane: Lane, idKeys: readonly string[]) => Promise<readonly T[]>,
  ): Promise<T>[] {
    const replies = new Map<string, Promise<T>>();
    for (const [lane, keys] of this.context.lanes.groupBy(this.store, idKeys)) {
      const reply = call(lane, keys);
      for (const [i, key] of keys.entries())
        replies.set(
          key,
          reply.then((all) => all[i] as T),
        );
    }
    return idKeys.map((key) => replies.get(key) as Promise<T>);
  }

  /** A value that can't be cached costs each read a load. */
  #toWrite(idKey: string, loaded: L): Write {
    const content = this.#tryContentOf(loaded);
    const ttlMs = entryTtlMs(this.store.ttlMs, content === absentEntry);
    return { field: this.fieldOf(idKey), content, ttlMs };
  }

  #tryContentOf(loaded: L): string {
    try {
      return this.contentOf(loaded);
    } catch (error) {
      this.context.emit({ type: 'fill.failed', store: this.store.name, error });
      return released;
    }
  }

  /** Where it fails, a later read loads again: this one has its values. */
  async #fill(lane: Lane, token: string, writes: readonly Write[]): Promise<Fill[]> {
    try {
      const filled = await this.context.buffer.fill(lane, token, writes);
      return filled.map((isFilled) => ({ kind: isFilled ? 'filled' : 'revoked' }));
    } catch (error) {
      this.context.emit({ type: 'fill.failed', store: this.store.name, error });
      return writes.map(() => ({ kind: 'failed', error }));
    }
  }
}

function isFound<Value, Seen>(claimed: Claimed<Value, Seen>): claimed is Look<Value | null, Seen> {
  return claimed.kind !== 'moved';
}
