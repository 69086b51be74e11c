/**
 * The sweep: wakes lanes that have unpersisted records and a mark that has gone quiet. It covers a worker or
 * an app that died and a queue that lost its jobs. Every write-behind worker runs one; Redis lets one of them
 * claim a lane. While the queue takes no jobs, for its Redis is away or its memory is full, the sweep flushes
 * the lanes itself: else nothing would make room. It costs what is awake: idle lanes are asked many at once.
 */
import pLimit from 'p-limit';
import type { Lane, Lanes } from '../../buffer/lane.js';
import type { WriteBuffer } from '../../buffer/write-buffer.js';
import type { Emit } from '../../events.js';
import type { WriteBehindQueue } from '../../queues/write-behind-queue.js';
import type { Resources } from '../../resources.js';
import { every } from '../role/every.js';
import type { LaneLooks } from './lane-looks.js';

/** How long past its due time a mark counts as alive. */
const quietMs = 2_000;
const sweepEveryMs = 1_000;
/** While nothing is awake. A lane that is found awake is looked at each second until its mark is quiet. */
const idleEveryMs = quietMs + sweepEveryMs;
/** Nobody promises to look at a lane later than this, or its delay. */
const promiseMaxMs = 10_000;
const waitingPerLaneMax = 2;
/** Lanes that a sweep flushes itself at once. */
const flushesMax = 8;

export interface SweepDependencies {
  readonly lanes: Lanes;
  readonly looks: LaneLooks;
  readonly buffer: WriteBuffer;
  readonly queue: WriteBehindQueue;
  /** Without a job. */
  readonly flush: (lane: Lane) => Promise<void>;
  /** Of a lane whose store somebody has paused. */
  readonly isPaused: (lane: Lane) => Promise<boolean>;
  readonly emit: Emit;
}

export class Sweep {
  readonly #dependencies: SweepDependencies;
  readonly #limit = pLimit(flushesMax);
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(dependencies: SweepDependencies) {
    this.#dependencies = dependencies;
  }

  start(parts: Resources): void {
    every(parts, 'sweep', sweepEveryMs, () => this.#sweep());
  }

  async #sweep(): Promise<void> {
    const { looks, isPaused, emit } = this.#dependencies;
    const now = performance.now();
    if (looks.isIdle && now - this.#sweptAt < idleEveryMs) return;
    this.#sweptAt = now;
    try {
      const { lanes, error } = await looks.look(await this.#atWork());
      if (error !== undefined) emit({ type: 'sweep.failed', error });
      const arePaused = await Promise.all(lanes.map(isPaused));
      const awake = lanes.filter((_, i) => !arePaused[i]);
      if (awake.length === 0 || (await this.#isCrowded())) return;
      await Promise.all(awake.map((lane) => this.#wakeQuiet(lane)));
    } catch (error) {
      emit({ type: 'sweep.failed', error });
    }
  }

  /** Lanes that some worker has in hand: it may have died. None where all are looked at anyway. */
  async #atWork(): Promise<readonly Lane[]> {
    const { looks, queue, lanes } = this.#dependencies;
    if (looks.isWhole) return [];
    try {
      return (await queue.lanesAtWork()).flatMap((name) => lanes.named(name) ?? []);
    } catch {
      return []; // A queue that is away has been told of.
    }
  }

  /**
   * With more jobs waiting than workers can take, or with the queue paused, further wake-ups would only pile
   * up.
   */
  async #isCrowded(): Promise<boolean> {
    const { queue, lanes } = this.#dependencies;
    try {
      return (await queue.waiting()) > waitingPerLaneMax * lanes.all.length;
    } catch {
      return false; // A queue that is away takes no jobs at all.
    }
  }

  async #wakeQuiet(lane: Lane): Promise<void> {
    const { buffer, emit } = this.#dependencies;
    if (!(await buffer.wake(lane, quietMs, quietMs + Math.max(promiseMaxMs, lane.group.minDelayMs)))) return;
    emit({ type: 'lane.woken', lane: lane.name });
    await this.#wake(lane);
  }

  async #wake(lane: Lane): Promise<void> {
    const { queue, flush, emit } = this.#dependencies;
    try {
      await queue.wake(lane.name, 0);
    } catch (error) {
      emit({ type: 'wake.failed', lane: lane.name, error });
      await this.#limit(() => flush(lane));
    }
  }
}
