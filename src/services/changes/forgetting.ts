/**
 * Drops the entries of changed rows, in the lanes' own places, so that a load that is under way can't put an
 * old row back.
 */
import { dropEntries } from '../../buffer/drop-entries.js';
import type { Lane, Lanes } from '../../buffer/lane.js';
import type { LaneRoutes } from '../../buffer/lane-follower.js';
import type { WriteBuffer } from '../../buffer/write-buffer.js';
import type { RedisClient } from '../../connection/redis.js';
import type { LaneGroup } from '../../definitions/stores.js';
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
      [...rows.entries()].map(async ([group, ids]) => {
        const pending = ids === 'all' ? await this.#forgetAll(group) : await this.#forgetRows(group, ids);
        if (pending > 0 && group.record)
          this.#dependencies.emit({ type: 'rows.foreign', store: group.record.name, count: pending });
      }),
    );
  }

  /** Of all rows, for changes of any may have been missed. */
  async forgetEverything(groups: readonly LaneGroup[]): Promise<void> {
    await Promise.all(groups.map((group) => this.#forgetPending(group)));
    await this.#dropEntries(groups);
  }

  async #forgetAll(group: LaneGroup): Promise<number> {
    const pending = await this.#forgetPending(group);
    await this.#dropEntries([group]);
    return pending;
  }

  async #dropEntries(groups: readonly LaneGroup[]): Promise<void> {
    const { redis, prefix, lanes, routes } = this.#dependencies;
    await routes.refresh();
    await dropEntries(
      redis,
      prefix,
      lanes.all.filter(({ group }) => groups.includes(group)),
    );
  }

  async #forgetPending(group: LaneGroup): Promise<number> {
    const { lanes, buffer } = this.#dependencies;
    const isRecord = (field: string): boolean => splitField(field).store === group.record?.name;
    const counts = lanes
      .ofGroup(group)
      .map(async (lane) => this.#drop(lane, (await buffer.pendingFields(lane)).filter(isRecord)));
    return sum(await Promise.all(counts));
  }

  async #forgetRows(group: LaneGroup, ids: ReadonlySet<string>): Promise<number> {
    const { record, counters } = group;
    const names = [record, ...counters].flatMap((store) => store?.name ?? []);
    return this.#dropIn(
      group,
      [...ids].flatMap((idKey) => names.map((name) => fieldOf(name, idKey))),
    );
  }

  /** How many of the rows have pending records. Where lanes have become others, they are dropped there. */
  async #dropIn(group: LaneGroup, fields: readonly string[]): Promise<number> {
    const byLane = this.#dependencies.lanes.groupBy(group, fields, (field) => splitField(field).idKey);
    return sum(await Promise.all([...byLane].map(([lane, some]) => this.#drop(lane, some))));
  }

  async #drop(lane: Lane, fields: readonly string[]): Promise<number> {
    const { buffer, routes } = this.#dependencies;
    let pending = 0;
    for (let i = 0; i < fields.length; i += fieldsMax) {
      const dropped = await buffer.dropForeign(lane, fields.slice(i, i + fieldsMax));
      if (dropped === 'moved') {
        await routes.moved(lane);
        return pending + (await this.#dropIn(lane.group, fields.slice(i)));
      }
      pending += dropped;
    }
    return pending;
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
