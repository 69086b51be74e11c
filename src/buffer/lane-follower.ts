/**
 * Follows the number of lanes that each store has in Redis: a lane refuses who knows another, without having
 * done anything. Then the layout is read again and adopted, and what was refused goes where it belongs. While
 * the number is being changed that waits; a change whose command has died is undone.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { RedisClient } from '../connection/redis.js';
import type { LaneGroup } from '../definitions/stores.js';
import { ForebayError } from '../errors.js';
import type { Lane, Lanes } from './lane.js';
import type { Layout } from './layout.js';
import { Layouts, readLayouts } from './layouts.js';
import type { WriteBuffer } from './write-buffer.js';

const lookEveryMs = 20;
/** How long a read or a write waits for a change of its store's lanes. */
export const changeWaitMs = 5_000;

/** What whoever was refused by a lane asks. */
export interface LaneRoutes {
  /**
   * A lane has refused who knows it: resolves once another look is worth it. @throws ForebayError
   * LANES_CHANGING when the number of lanes was still being changed after `waitMs`
   */
  moved(lane: Lane, waitMs?: number): Promise<void>;
  /** Adopts what Redis has; whether that is another. @throws what Redis throws */
  refresh(): Promise<boolean>;
}

export interface LaneFollowerDependencies {
  readonly lanes: Lanes;
  readonly layouts: Layouts;
  readonly buffer: Pick<WriteBuffer, 'fence'>;
  readonly readAll: () => Promise<ReadonlyMap<string, Layout>>;
}

/** Over a connection to the lanes. */
export function followLanes(
  redis: RedisClient,
  prefix: string,
  parts: { readonly lanes: Lanes; readonly buffer: WriteBuffer },
): LaneFollower {
  const readAll = () => readLayouts(redis, prefix);
  return new LaneFollower({ ...parts, layouts: new Layouts(parts.buffer), readAll });
}

export class LaneFollower implements LaneRoutes {
  readonly #dependencies: LaneFollowerDependencies;
  /** Looks that are under way: many are refused at once. */
  readonly #looks = new Map<LaneGroup, Promise<Layout>>();
  #lookCount = 0;
  /** The last look of which a store's layout is. */
  readonly #adopted = new Map<LaneGroup, number>();

  constructor(dependencies: LaneFollowerDependencies) {
    this.#dependencies = dependencies;
  }

  async moved(lane: Lane, waitMs = changeWaitMs): Promise<void> {
    const deadline = Date.now() + waitMs;
    let cause: unknown;
    for (;;) {
      try {
        if (await this.#isWorthIt(lane)) return;
      } catch (error) {
        cause = error;
      }
      if (Date.now() >= deadline) throw lanesChanging(lane, cause);
      await wait(lookEveryMs);
    }
  }

  async refresh(): Promise<boolean> {
    const { lanes, layouts, readAll } = this.#dependencies;
    const look = ++this.#lookCount;
    const known = await readAll();
    const adopted = lanes.groups.map(async (group) => {
      const seen = known.get(group.name);
      // Perhaps its time is over.
      const isKnown = seen && !seen.next && seen.partitions > 0;
      return this.#adopt(group, isKnown ? seen : await layouts.ofGroup(group), look);
    });
    return (await Promise.all(adopted)).includes(true);
  }

  async #isWorthIt(lane: Lane): Promise<boolean> {
    const { lanes, buffer } = this.#dependencies;
    const layout = await this.#look(lane.group);
    const now = lanes.named(lane.name);
    if (now?.mark !== lane.mark) return true;
    // It is decided, and whoever decided it has not come to this lane.
    return !layout.next && (await buffer.fence(now, 'open', layout)).kind === 'done';
  }

  #look(group: LaneGroup): Promise<Layout> {
    let look = this.#looks.get(group);
    if (look === undefined) {
      look = this.#read(group).finally(() => this.#looks.delete(group));
      this.#looks.set(group, look);
    }
    return look;
  }

  async #read(group: LaneGroup): Promise<Layout> {
    const look = ++this.#lookCount;
    const layout = await this.#dependencies.layouts.ofGroup(group);
    this.#adopt(group, layout, look);
    return layout;
  }

  /** False: it was known, or a later look has come first. */
  #adopt(group: LaneGroup, layout: Layout, look: number): boolean {
    if (look < (this.#adopted.get(group) ?? 0)) return false;
    this.#adopted.set(group, look);
    return this.#dependencies.lanes.adopt(group, layout);
  }
}

export function lanesChanging({ name, group }: Lane, cause?: unknown): ForebayError {
  return new ForebayError(
    'LANES_CHANGING',
    `The number of lanes of store "${group.name}" is being changed, and lane ${name} was not open again in time. Nothing was done: repeat it. ` +
      `If it stays so, see forebay lanes, and give the number again: forebay lanes ${group.name} N.`,
    { retryable: true, cause, context: { store: group.name, lane: name } },
  );
}
