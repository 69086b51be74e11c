/**
 * Which lanes a sweep looks at, and when. On one server a look at all is a few commands: all are looked at.
 * In a cluster a command asks the lanes of one slot only: some are looked at each time, so that all have
 * their turn after a while; each time, too, those that held something when they were looked at last, and
 * those that workers have in hand. After trouble with a connection all are looked at, for that is when
 * wake-ups are lost.
 */
import pLimit from 'p-limit';
import type { Lane, Lanes } from '../../buffer/lane.js';
import {
  groupForCalls,
  type LaneGroupOfCall,
  occupiedLanes,
  unpersisted,
} from '../../buffer/occupied-lanes.js';
import { isCluster, onOtherMaster } from '../../connection/client.js';
import { inTime } from '../../connection/deadline.js';
import type { RedisClient } from '../../connection/redis.js';

/** After so many looks all lanes of a cluster have had their turn. */
const looksPerTurn = 60;
/** Of few lanes a turn is over sooner. */
const groupsPerLookMin = 2;
const callsAtOnceMax = 50;
/** A server that is away does not hold up the look at the others' lanes. */
const lookMaxMs = 1_000;

type Group = LaneGroupOfCall<Lane>;

export interface Look {
  /** Those that may have unpersisted records. */
  readonly lanes: readonly Lane[];
  /** Why some could not be looked at. */
  readonly error?: unknown;
}

export class LaneLooks {
  readonly #redis: RedisClient;
  #groups: readonly Group[] = [];
  /** By the lanes' names. */
  #groupOf: ReadonlyMap<string, Group> = new Map();
  #perLook = 0;
  readonly #limit = pLimit(callsAtOnceMax);
  readonly #occupied = new Set<Group>();
  readonly #asking = new Set<Group>();
  #next = 0;
  #isAllDue = true;

  constructor(redis: RedisClient, lanes: Lanes) {
    this.#redis = redis;
    this.setLanes(lanes);
    onOtherMaster(redis, () => this.allDue());
  }

  /** Those to look at from now on. */
  setLanes(lanes: Lanes): void {
    this.#groups = groupForCalls(this.#redis, lanes.all);
    this.#groupOf = new Map(this.#groups.flatMap((group) => group.map(({ name }) => [name, group] as const)));
    const { length } = this.#groups;
    this.#perLook = isCluster(this.#redis)
      ? Math.min(length, Math.max(groupsPerLookMin, Math.ceil(length / looksPerTurn)))
      : length;
    this.#occupied.clear();
    this.#next = 0;
    this.allDue();
  }

  /** Whether all lanes are looked at each time. */
  get isWhole(): boolean {
    return this.#perLook === this.#groups.length;
  }

  /** Whether nothing was found when it was looked last. */
  get isIdle(): boolean {
    return this.#occupied.size === 0 && !this.#isAllDue;
  }

  /** The next look is at all. */
  allDue(): void {
    this.#isAllDue = true;
  }

  /** @param atWork lanes to look at in any case */
  async look(atWork: readonly Lane[] = []): Promise<Look> {
    const lanes: Lane[] = [];
    let error: unknown;
    const asking = this.#take(atWork).map((group) =>
      this.#ask(group).then(
        (found) => void lanes.push(...found),
        (reason: unknown) => {
          error = reason;
        },
      ),
    );
    // What comes later is looked at again the next time.
    await inTime(Promise.all(asking), lookMaxMs).catch((late: unknown) => {
      error ??= late;
    });
    return { lanes: [...lanes], error };
  }

  #take(atWork: readonly Lane[]): readonly Group[] {
    const turn = this.#isAllDue ? this.#groups : this.#turn();
    this.#isAllDue = false;
    const groups = new Set([
      ...atWork.map(({ name }) => this.#groupOf.get(name)).filter((group) => group !== undefined),
      ...this.#occupied,
      ...turn,
    ]);
    return [...groups].filter((group) => !this.#asking.has(group));
  }

  #turn(): readonly Group[] {
    const { length } = this.#groups;
    const turn = Array.from(
      { length: this.#perLook },
      (_, i) => this.#groups[(this.#next + i) % length] as Group,
    );
    this.#next = (this.#next + this.#perLook) % Math.max(1, length);
    return turn;
  }

  async #ask(group: Group): Promise<readonly Lane[]> {
    this.#asking.add(group);
    try {
      const lanes = await this.#limit(() => occupiedLanes(this.#redis, group, unpersisted));
      if (lanes.length > 0) this.#occupied.add(group);
      else this.#occupied.delete(group);
      return lanes;
    } catch (error) {
      this.#occupied.add(group);
      throw error;
    } finally {
      this.#asking.delete(group);
    }
  }
}
