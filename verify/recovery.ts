/** How soon batches are applied again: from a fault to the next one, of the lanes that a worker had in hand where it concerns a worker. */
import type { FaultKind } from './faults/plan.js';
import type { FromWorker } from './messages.js';

/** A worker's end in a round in which nothing else breaks is told by itself. */
export type Recovered = FaultKind | 'worker killed, all else whole';

interface Waiting {
  readonly kind: Recovered;
  readonly at: number;
  /** Empty: any lane will do. */
  readonly lanes: Set<string>;
}

const ends: ReadonlySet<string> = new Set(['batch.acked', 'batch.late', 'batch.split']);

export class Recovery {
  /** Of each kind, in ms. */
  readonly times = new Map<Recovered, number[]>();
  readonly counts = new Map<Recovered, number>();
  /** Batches applied, and events that say that something went otherwise. */
  readonly events = new Map<string, number>();
  readonly #inHand = new Map<string, Set<string>>();
  #waiting: Waiting[] = [];

  fault(kind: Recovered, at: number, lanes: ReadonlySet<string> = new Set()): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#waiting.push({ kind, at, lanes: new Set(lanes) });
  }

  /** Of which a batch is sealed by this worker, and not acknowledged. */
  lanesInHand(process: string): ReadonlySet<string> {
    return this.#inHand.get(process) ?? new Set();
  }

  event(process: string, { type, lane, at }: Extract<FromWorker, { kind: 'event' }>): void {
    this.events.set(type, (this.events.get(type) ?? 0) + 1);
    const lanes = this.#inHand.get(process) ?? new Set();
    this.#inHand.set(process, lanes);
    if (type === 'batch.sealed') lanes.add(lane);
    if (ends.has(type)) lanes.delete(lane);
    if (type === 'batch.applied') this.#applied(lane, at);
  }

  /** With everything drained, nothing is waited for. */
  endRound(): void {
    this.#waiting = [];
    this.#inHand.clear();
  }

  #applied(lane: string, at: number): void {
    this.#waiting = this.#waiting.filter((waiting) => {
      if (at < waiting.at) return true;
      waiting.lanes.delete(lane);
      if (waiting.lanes.size > 0) return true;
      const times = this.times.get(waiting.kind) ?? [];
      times.push((at - waiting.at) / 1_000);
      this.times.set(waiting.kind, times);
      return false;
    });
  }
}
