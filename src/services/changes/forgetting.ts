/**
 * Drops the entries of changed rows, in the lanes' own places, so that a load that is under way can't put an
 * old row back.
 */
import { dropEntries } from '../../buffer/drop-entries.js';
import type { Lane, Lanes } from '../../buffer/lane.js';
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
    const { redis, prefix, lanes } = this.#dependencies;
    await dropEntries(
      redis,
      prefix,
      lanes.all.filter(({ group }) => groups.includes(group)),
    );
  }

  async #forgetPending(group: LaneGroup): Promise<number> {
    const { lanes, buffer } = this.#dependencies;
    const isRecord = (field: string): boolean => splitField(field).store === group.record?.name;
    const counts = lanes.all
      .filter((lane) => lane.group === group)
      .map(async (lane) => this.#drop(lane, (await buffer.pendingFields(lane)).filter(isRecord)));
    return sum(await Promise.all(counts));
  }

  async #forgetRows(group: LaneGroup, ids: ReadonlySet<string>): Promise<number> {
    const { record, counters } = group;
    const names = [record, ...counters].flatMap((store) => store?.name ?? []);
    const byLane = [...this.#dependencies.lanes.groupBy(group, ids)];
    const counts = byLane.map(([lane, idKeys]) =>
      this.#drop(
        lane,
        names.flatMap((name) => idKeys.map((idKey) => fieldOf(name, idKey))),
      ),
    );
    return sum(await Promise.all(counts));
  }

  /** How many of the rows have pending records. */
  async #drop(lane: Lane, fields: readonly string[]): Promise<number> {
    const counts: Promise<number>[] = [];
    for (let i = 0; i < fields.length; i += fieldsMax)
      counts.push(this.#dependencies.buffer.dropForeign(lane, fields.slice(i, i + fieldsMax)));
    return sum(await Promise.all(counts));
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
