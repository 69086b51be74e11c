/**
 * A lane with one row and its counter, as the scripts keep it, and beside it what the counter would be if every write
 * had gone to the database at once. Steps that are not possible now do nothing.
 */
import type { RecordKind } from '../../../../src/buffer/scripts.js';
import type { CountersClaim } from '../../../../src/buffer/step-replies.js';
import type { LoadedCounters } from '../../../../src/database/load.js';

export type Step =
  | { readonly do: 'put' | 'delete' | 'apply' | 'ack' }
  | { readonly do: 'add'; readonly delta: bigint }
  /** `count`: most records of the batch. */
  | { readonly do: 'seal'; readonly count: number };

export const idKey = 'a';

interface Pending {
  record: RecordKind;
  delta: bigint | undefined;
}

export class LaneModel {
  /** The counter in a row that is new. */
  readonly initial: bigint;
  /** Whether the counter is a column of a record store's rows. */
  readonly hasRecord: boolean;
  /** What the counter is now; undefined when there is no row. */
  value: bigint | undefined;
  #row: bigint | undefined;
  #ledger: bigint | undefined;
  #batch: bigint | undefined;
  #dirty: Pending = { record: '', delta: undefined };
  #order: (keyof Pending)[] = [];
  #sealed: (Pending & { number: bigint }) | undefined;

  constructor(options: { initial: bigint; hasRecord: boolean; row: bigint | undefined }) {
    this.initial = options.initial;
    this.hasRecord = options.hasRecord;
    this.#row = options.row;
    this.value = options.row;
  }

  take(step: Step): void {
    if (step.do === 'add') this.#add(step.delta);
    else if (step.do === 'seal') this.#seal(step.count);
    else if (step.do === 'apply') this.#apply();
    else if (step.do === 'ack') this.#ack();
    else if (this.hasRecord) this.#write(step.do);
  }

  claim(): CountersClaim {
    const { record, delta = 0n } = this.#dirty;
    const counter = {
      kind: 'lease',
      dirtyDelta: delta,
      sealedDelta: this.#sealed?.delta ?? 0n,
      dirtyRecord: record,
      sealedRecord: this.#sealed?.record ?? '',
    } as const;
    return { batch: this.#batch, sealed: this.#sealed?.number, counters: [counter] };
  }

  load(): LoadedCounters {
    return { batch: this.#ledger, values: new Map(this.#row === undefined ? [] : [[idKey, this.#row]]) };
  }

  #write(kind: 'put' | 'delete'): void {
    const isReplacement = this.#dirty.record === 'D' || this.#dirty.record === 'R';
    this.#markDirty('record');
    if (kind === 'put') {
      this.#dirty.record = isReplacement ? 'R' : 'P';
      this.value ??= this.initial;
    } else {
      this.#dirty.record = 'D';
      this.#dirty.delta = undefined;
      this.#order = this.#order.filter((part) => part !== 'delta');
      this.value = undefined;
    }
  }

  /** A delta for a row that is not there counts only if the row comes in time: nothing is promised of it. */
  #add(delta: bigint): void {
    if (this.hasRecord && this.value === undefined) return;
    this.#markDirty('delta');
    this.#dirty.delta = (this.#dirty.delta ?? 0n) + delta;
    this.value = (this.value ?? this.initial) + delta;
  }

  #markDirty(part: keyof Pending): void {
    if (!this.#order.includes(part)) this.#order.push(part);
  }

  #seal(count: number): void {
    if (this.#sealed || this.#order.length === 0) return;
    const taken = this.#order.splice(0, count);
    const number = (this.#batch ?? 0n) + 1n;
    this.#batch = number;
    this.#sealed = { number, record: '', delta: undefined };
    for (const part of taken) this.#move(part, this.#sealed);
  }

  #move(part: keyof Pending, sealed: Pending): void {
    if (part === 'record') {
      sealed.record = this.#dirty.record;
      this.#dirty.record = '';
    } else {
      sealed.delta = this.#dirty.delta;
      this.#dirty.delta = undefined;
    }
  }

  #apply(): void {
    if (!this.#sealed || this.#isApplied()) return;
    const { number, record, delta = 0n } = this.#sealed;
    if (record === 'D' || record === 'R') this.#row = undefined;
    if (record === 'P' || record === 'R') this.#row ??= this.initial;
    if (delta !== 0n && !this.hasRecord) this.#row ??= this.initial;
    if (this.#row !== undefined) this.#row += delta;
    this.#ledger = number;
  }

  #ack(): void {
    if (this.#isApplied()) this.#sealed = undefined;
  }

  #isApplied(): boolean {
    return this.#sealed !== undefined && (this.#ledger ?? 0n) >= this.#sealed.number;
  }
}
