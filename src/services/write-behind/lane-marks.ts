/** Renews the wake-up marks of the lanes whose batches this worker has in hand. */
import type { Lane } from '../../buffer/lane.js';
import type { WriteBuffer } from '../../buffer/write-buffer.js';
import type { Emit } from '../../events.js';
import type { Resources } from '../../resources.js';
import type { Held } from './batches-duty.js';
import type { LaneMarks } from './lane-flush.js';

/** Well within the 2 s after which a sweep takes a lane for abandoned. */
const renewEveryMs = 500;

export class LaneMarksRenewal implements LaneMarks {
  readonly #buffer: WriteBuffer;
  readonly #emit: Emit;
  readonly #held = new Map<Lane, Held>();

  constructor(buffer: WriteBuffer, emit: Emit) {
    this.#buffer = buffer;
    this.#emit = emit;
  }

  hold(lane: Lane, number: string): void {
    this.#held.set(lane, { lane: lane.name, number, since: performance.now() });
  }

  release(lane: Lane): void {
    this.#held.delete(lane);
  }

  /** The batch that has been in hand longest. */
  get oldestHeld(): Held | undefined {
    const [oldest] = [...this.#held.values()].sort((one, other) => one.since - other.since);
    return oldest;
  }

  /** For how long it has been; 0 when there is none. */
  get heldMs(): number {
    const oldest = this.oldestHeld;
    return oldest === undefined ? 0 : performance.now() - oldest.since;
  }

  start(parts: Resources): void {
    parts.own(
      'marks of lanes',
      setInterval(() => this.#renew(), renewEveryMs),
      clearInterval,
    );
  }

  #renew(): void {
    for (const [lane, { number }] of this.#held) {
      this.#buffer
        .renew(lane, number)
        .catch((error: unknown) => this.#emit({ type: 'mark.not-renewed', lane: lane.name, error }));
    }
  }
}
