/**
 * The write-behind worker of a test's app: takes what a lane holds to the tables, after the store's delay, or
 * at once when somebody waits for it.
 */
import type { Lane, Lanes } from '../../buffer/lane.js';
import { failureReason } from '../../database/database.js';
import type { RecordStore } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import { fieldOf, persistedChannel, splitField } from '../../keys.js';
import type { TestClock } from '../clock.js';
import type { Faults } from '../faults.js';
import { type MemoryBuffer, onlyGeneration } from './buffer.js';
import type { MemoryBus } from './bus.js';
import type { LaneMemory } from './lane-memory.js';
import type { MemoryTables } from './tables.js';

export interface MemoryWorkerDependencies {
  readonly lanes: Lanes;
  readonly buffer: MemoryBuffer;
  readonly tables: MemoryTables;
  readonly clock: TestClock;
  readonly faults: Faults;
  readonly bus: MemoryBus;
  readonly prefix: string;
  readonly emit: Emit;
}

interface Due {
  readonly atMs: number;
  readonly timer: NodeJS.Timeout;
}

/** After a flush that has failed. */
const retryMs = 20;

export class MemoryWorker {
  readonly #dependencies: MemoryWorkerDependencies;
  readonly #due = new Map<Lane, Due>();

  constructor(dependencies: MemoryWorkerDependencies) {
    this.#dependencies = dependencies;
    dependencies.clock.onAdvance(() => this.#flushDue());
  }

  /** After the longest that it may take, so that a test can tell what is pending. */
  async wake(name: string): Promise<void> {
    const lane = this.#laneOf(name);
    this.#flushLater(lane, lane.group.delayMs);
  }

  async hurry(name: string): Promise<void> {
    this.#flush(this.#laneOf(name));
  }

  close(): void {
    for (const { timer } of this.#due.values()) clearTimeout(timer);
    this.#due.clear();
  }

  #laneOf(name: string): Lane {
    return this.#dependencies.lanes.named(name) as Lane;
  }

  #flushLater(lane: Lane, delayMs: number): void {
    clearTimeout(this.#due.get(lane)?.timer);
    const timer = setTimeout(() => this.#flush(lane), delayMs);
    // A test's process ends whether or not all is flushed.
    timer.unref();
    this.#due.set(lane, { atMs: this.#dependencies.clock.now() + delayMs, timer });
  }

  #flushDue(): void {
    const now = this.#dependencies.clock.now();
    for (const [lane, { atMs }] of this.#due) if (atMs <= now) this.#flush(lane);
  }

  #flush(lane: Lane): void {
    const { buffer, faults, emit } = this.#dependencies;
    clearTimeout(this.#due.get(lane)?.timer);
    this.#due.delete(lane);
    const memory = buffer.memoryOf(lane);
    if (memory.dirty === 0) return;
    try {
      faults.pass('database');
      this.#apply(lane, memory);
    } catch (error) {
      const number = String(memory.batch);
      emit({ type: 'batch.failed', lane: lane.name, number, reason: failureReason(error), retryMs, error });
      this.#flushLater(lane, retryMs);
    }
  }

  /** In one turn, as in one transaction. */
  #apply(lane: Lane, memory: LaneMemory): void {
    const { clock, emit } = this.#dependencies;
    const size = memory.dirty;
    const number = String(memory.nextBatch(clock.now()));
    this.#applyRows(lane, memory);
    this.#applyDeltas(lane, memory);
    memory.persisted += size;
    memory.batches += 1;
    emit({ type: 'batch.applied', lane: lane.name, number, applied: true, size, ms: 0 });
    emit({ type: 'batch.acked', lane: lane.name, number, size });
    this.#announce(lane, memory);
  }

  #applyRows({ group }: Lane, { rows }: LaneMemory): void {
    for (const [field, row] of rows) {
      const { store: name, idKey } = splitField(field);
      const store = group.records.find((record) => record.name === name) as RecordStore;
      this.#dependencies.tables.apply(store, idKey, row);
    }
    rows.clear();
  }

  /** Those without a row are kept until it comes. */
  #applyDeltas({ group }: Lane, { deltas, letters }: LaneMemory): void {
    const { tables, clock } = this.#dependencies;
    for (const [field, { delta, since }] of deltas) {
      const { store: name, idKey } = splitField(field);
      const store = group.counters.find((counter) => counter.name === name);
      if (store === undefined || delta === 0n || tables.add(store, idKey, delta)) continue;
      const row = fieldOf((store.record as RecordStore).name, idKey);
      const letter = letters.get(row);
      const missed = new Map(letter?.deltas);
      missed.set(field, (missed.get(field) ?? 0n) + delta);
      const at = letter?.at ?? String(Math.floor(clock.now() * 1_000));
      letters.set(row, { at, since: letter?.since ?? since, deltas: missed });
    }
    deltas.clear();
  }

  #announce({ name }: Lane, { version, letters }: LaneMemory): void {
    const { bus, prefix } = this.#dependencies;
    bus.publish(persistedChannel(prefix), `${name} ${version} ${onlyGeneration} 0 ${letters.size}`);
  }
}
