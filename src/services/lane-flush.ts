/** Flushes one lane: seal, apply, ack, until it is empty, the time of one job is over, or the worker is to stop. */
import type { Batch } from '../buffer/batch.js';
import type { Lane } from '../buffer/lane.js';
import type { WriteBuffer } from '../buffer/write-buffer.js';
import { applyBatch } from '../database/apply.js';
import { type Database, failureReason } from '../database/database.js';
import type { Persister } from '../database/persister.js';
import type { Emit } from '../events.js';
import { pause } from '../pause.js';
import type { FlushSummary } from '../queues.js';
import type { BatchSize } from './batch-size.js';
import { DatabaseAway, type DatabaseBreaker } from './database-breaker.js';
import type { LedgerWatch } from './ledger-watch.js';
import { jittered, RetryLater, retryWaits } from './retry.js';

/** A job ends after this long, so that busy lanes move between workers and the board has a history. */
const flushMaxMs = 5_000;
/** A job waits no longer than this for records to come of age: it keeps others from a worker meanwhile. */
const waitMaxMs = 500;

export interface LaneFlushDependencies {
  readonly buffer: WriteBuffer;
  readonly database: Database;
  readonly persisterOf: (lane: Lane) => Persister;
  readonly prefix: string;
  readonly emit: Emit;
  /** Runs a batch's transaction when the database is there and a connection is free. */
  readonly breaker: DatabaseBreaker;
  readonly sizeOf: (lane: Lane) => BatchSize;
  readonly ledger: LedgerWatch;
  readonly marks: LaneMarks;
}

/** Told which batches are in hand, so that their lanes' marks are renewed. */
export interface LaneMarks {
  hold(lane: Lane, number: string): void;
  release(lane: Lane): void;
}

export interface FlushOptions {
  readonly signal: AbortSignal;
  onProgress(summary: FlushSummary): Promise<void>;
}

export type FlushResult = FlushSummary & {
  /** When the lane needs another job, in ms from now; undefined when it is empty. */
  readonly againInMs: number | undefined;
};

export class LaneFlush {
  readonly #dependencies: LaneFlushDependencies;

  constructor(dependencies: LaneFlushDependencies) {
    this.#dependencies = dependencies;
  }

  /** @throws RetryLater when a batch could not be applied: it stays sealed */
  async run(lane: Lane, options: FlushOptions): Promise<FlushResult> {
    const { buffer, sizeOf, ledger } = this.#dependencies;
    const startedAt = Date.now();
    let summary: FlushSummary = { batches: 0, rows: 0, skipped: 0, ms: 0 };
    while (!options.signal.aborted && Date.now() - startedAt < flushMaxMs) {
      const sealed = await buffer.seal(lane, { ...sizeOf(lane).limits, floor: ledger.floorOf(lane) });
      if (sealed.kind === 'empty') return { ...summary, againInMs: undefined };
      if (sealed.kind === 'wait') {
        if (sealed.waitMs > waitMaxMs) return { ...summary, againInMs: sealed.waitMs };
        await pause(sealed.waitMs, options.signal);
        continue;
      }
      const applied = await this.#flushBatch(lane, sealed.batch);
      if (applied === 'away') break;
      summary = {
        batches: summary.batches + 1,
        rows: summary.rows + (applied ? sealed.batch.size : 0),
        skipped: summary.skipped + (applied ? 0 : 1),
        ms: Date.now() - startedAt,
      };
      await options.onProgress(summary);
    }
    return { ...summary, againInMs: 0 };
  }

  /** 'away': the batch stays sealed, and the lane is to be handed back. */
  async #flushBatch(lane: Lane, batch: Batch): Promise<boolean | 'away'> {
    const { buffer, emit, marks, breaker, ledger } = this.#dependencies;
    const { number, size } = batch;
    emit({ type: 'batch.sealed', lane: lane.name, number, size });
    marks.hold(lane, number);
    try {
      const applied = await breaker.run(() => this.#apply(lane, batch));
      const isAcked = await buffer.ack(lane, number);
      emit(
        isAcked
          ? { type: 'batch.acked', lane: lane.name, number, size }
          : { type: 'batch.late', lane: lane.name, number },
      );
      // What had been applied before was perhaps sealed again by a Redis that has gone back in time.
      if (isAcked && !applied) void ledger.compare([lane]);
      return applied;
    } catch (error) {
      if (error instanceof DatabaseAway) return 'away';
      throw await this.#postpone(lane, number, error);
    } finally {
      marks.release(lane);
    }
  }

  async #apply(lane: Lane, batch: Batch): Promise<boolean> {
    const { database, persisterOf, sizeOf, ledger, prefix, emit } = this.#dependencies;
    const startedAt = performance.now();
    const applied = await applyBatch(batch, { database, persister: persisterOf(lane), prefix, emit });
    const ms = Math.round(performance.now() - startedAt);
    ledger.applied(lane, BigInt(batch.number));
    if (applied) sizeOf(lane).applied(batch.size, ms);
    emit({ type: 'batch.applied', lane: lane.name, number: batch.number, applied, ms });
    return applied;
  }

  /** Sets the lane's mark to the next try, so that the sweep leaves the lane alone until then. */
  async #postpone(lane: Lane, number: string, error: unknown): Promise<RetryLater> {
    const reason = failureReason(error);
    const waitMs = await this.#dependencies.buffer.postpone(lane, number, retryWaits[reason]);
    const retryMs = jittered(waitMs);
    this.#dependencies.emit({ type: 'batch.failed', lane: lane.name, number, reason, retryMs, error });
    return new RetryLater(reason, retryMs, error);
  }
}
