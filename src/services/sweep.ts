/**
 * The sweep: wakes lanes that have unpersisted records and a mark that has gone quiet. It covers a worker or an app that died
 * and a queue that lost its jobs. Every write-behind worker runs one; Redis lets one of them claim a lane.
 */
import type { Lanes } from '../buffer/lane.js';
import type { WriteBuffer } from '../buffer/write-buffer.js';
import type { Emit } from '../events.js';
import type { WriteBehindQueue } from '../queues.js';

/** How long past its due time a mark counts as alive. */
const quietMs = 2_000;
const sweepEveryMs = 1_000;
const waitingPerLaneMax = 2;

export interface SweepDependencies {
  readonly lanes: Lanes;
  readonly buffer: WriteBuffer;
  readonly queue: WriteBehindQueue;
  readonly emit: Emit;
}

export class Sweep {
  readonly #dependencies: SweepDependencies;
  #timer: NodeJS.Timeout | undefined;

  constructor(dependencies: SweepDependencies) {
    this.#dependencies = dependencies;
  }

  start(): void {
    this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The next sweep starts a while after this one ended, so that sweeps never pile up. */
  #schedule(): void {
    this.#timer = setTimeout(async () => {
      await this.#sweep();
      if (this.#timer) this.#schedule();
    }, sweepEveryMs);
  }

  async #sweep(): Promise<void> {
    const { lanes, buffer, queue, emit } = this.#dependencies;
    try {
      // With more jobs waiting than workers can take, or with the queue paused, further wake-ups would only pile up.
      if ((await queue.waiting()) > waitingPerLaneMax * lanes.all.length) return;
      await Promise.all(
        lanes.all.map(async (lane) => {
          if (!(await buffer.wake(lane, quietMs))) return;
          emit({ type: 'lane.woken', lane: lane.name });
          await queue.wake(lane.name, 0);
        }),
      );
    } catch (error) {
      emit({ type: 'sweep.failed', error });
    }
  }
}
