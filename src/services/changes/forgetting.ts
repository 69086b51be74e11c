/**
 * Drops the entries of changed rows, in the lanes' own places, so that a load that is under way can't put an
 * old row back.
 */
import { dropEntries } from '../../buffer/drop-entries.js';
import type { Lane, Lanes } from '../../buffer/lane.js';
import type { LaneRoutes } from '../../buffer/lane-follower.js';
import type { WriteBuffer } from '../../buffer/write-buffer.js';
import type { RedisClient } from '../../connection/redis.js';
import { type Store, withCounters } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import { fieldOf, splitField } from '../../keys.js';
import type { ChangedRows } from './transactions.js';

/** Fields of one call. */
const fieldsMax = 500;

export interface ForgettingDependencies {
  readonly redis: RedisClient;
  readonly buffer: WriteBuffer;
  readonly lanes: Lanes;
  readonly routes: LaneRoutes;
  readonly prefix: string;
  readonly emit: Emit;
}

export class Forgetting {
  readonly #dependencies: ForgettingDependencies;

  constructor(dependencies: ForgettingDependencies) {
    this.#dependencies = dependencies;
  }

  /** Of these rows; and tells which have pending records. */
  async forget({ rows }: ChangedRows): Promise<void> {
    await Promise.all(
      [...rows.entries()].map(async ([store, ids]) => {
        const pending = ids === 'all' ? await this.#forgetAll(store) : await this.#forgetRows(store, ids);
        if (pending > 0 && store.kind === 'record')
          this.#dependencies.emit({ type: 'rows.foreign', store: store.name, count: pending });
      }),
    );
  }

  /** Of all rows, for changes of any may have been missed. */
  async forgetEverything(stores: readonly Store[]): Promise<void> {
    await Promise.all(stores.map((store) => this.#forgetPending(store)));
    await this.#dropEntries(stores);
  }

  async #forgetAll(store: Store): Promise<number> {
    const pending = await this.#forgetPending(store);
    await this.#dropEntries([store]);
    return pending;
  }

  /** Of all that share their lanes: a scan finds these. */
  async #dropEntries(stores: readonly Store[]): Promise<void> {
    const { redis, prefix, lanes, routes } = this.#dependencies;
    await routes.refresh();
    await dropEntries(
      redis,
      prefix,
      lanes.all.filter(({ group }) => stores.some((store) => store.group === group)),
    );
  }

  async #forgetPending(store: Store): Promise<number> {
    const { lanes, buffer } = this.#dependencies;
    const isRecord = (field: string): boolean =>
      store.kind === 'record' && splitField(field).store === store.name;
    const dropMoved = (fields: readonly string[]) => this.#dropIn(store, fields);
    const counts = lanes
      .ofGroup(store.group)
      .map(async (lane) => this.#drop(lane, (await buffer.pendingFields(lane)).filter(isRecord), dropMoved));
    return sum(await Promise.all(counts));
  }

  async #forgetRows(store: Store, ids: ReadonlySet<string>): Promise<number> {
    const names = withCounters(store).map(({ name }) => name);
    return this.#dropIn(
      store,
      [...ids].flatMap((idKey) => names.map((name) => fieldOf(name, idKey))),
    );
  }

  /** How many of the rows have pending records. Where lanes have become others, they are dropped there. */
  async #dropIn(store: Store, fields: readonly string[]): Promise<number> {
    const byLane = this.#dependencies.lanes.groupBy(store, fields, (field) => splitField(field).idKey);
    const counts = [...byLane].map(([lane, some]) =>
      this.#drop(lane, some, (left) => this.#dropIn(store, left)),
    );
    return sum(await Promise.all(counts));
  }

  async #drop(
    lane: Lane,
    fields: readonly string[],
    dropMoved: (fields: readonly string[]) => Promise<number>,
  ): Promise<number> {
    const { buffer, routes } = this.#dependencies;
    let pending = 0;
    for (let i = 0; i < fields.length; i += fieldsMax) {
      const dropped = await buffer.dropForeign(lane, fields.slice(i, i + fieldsMax));
      if (dropped === 'moved') {
        await routes.moved(lane);
        return pending + (await dropMoved(fields.slice(i)));
      }
      pending += dropped;
    }
    return pending;
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
