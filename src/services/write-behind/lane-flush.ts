/**
 * Flushes one lane: seal, apply, ack, until it is empty [FB-DRAINED], the time of one job is over, or the
 * worker is to stop.
 */
import type { Batch, Sealing } from '../../buffer/batch.js';
import type { Lane } from '../../buffer/lane.js';
import type { SealReply } from '../../buffer/seal-reply.js';
import type { WriteBuffer } from '../../buffer/write-buffer.js';
import { type Applied, applyBatch } from '../../database/apply.js';
import { type Database, type FailureReason, failureReason } from '../../database/database.js';
import type { Persister } from '../../database/persister.js';
import type { Outdated } from '../../database/statement.js';
import type { LaneGroup } from '../../definitions/stores.js';
import { isForebayError, messageOf } from '../../errors.js';
import type { Emit } from '../../events.js';
import type { FlushSummary } from '../../queues/write-behind-queue.js';
import type { SpanFacts, Trace } from '../../trace.js';
import { jittered, RetryLater, retryWaits } from '../role/retry.js';
import type { BatchSize } from './batch-size.js';
import type { BatchSplit } from './batch-split.js';
import { DatabaseAway, type DatabaseBreaker } from './database-breaker.js';
import { LaneVisit } from './lane-visit.js';
import type { LedgerWatch } from './ledger-watch.js';
import { shownOf } from './shown-batch.js';

/** A job ends after this long, so that busy lanes move between workers and the board has a history. */
const flushMaxMs = 5_000;
/**
 * So often a batch is tried again, before its records are tried one by one: a parent row is on its way; a
 * deadlock passes.
 */
const triesMax: Record<FailureReason, number> = { 'not-yet': 2, unavailable: 3, refused: 0 };

export interface LaneFlushDependencies {
  readonly buffer: WriteBuffer;
  readonly database: Database;
  readonly persisterOf: (lane: Lane) => Persister;
  readonly prefix: string;
  readonly emit: Emit;
  /** Runs a batch's transaction when the database is there and a connection is free. */
  readonly breaker: DatabaseBreaker;
  readonly sizeOf: (lane: Lane) => Pick<BatchSize, 'limits' | 'restMs' | 'applied'>;
  readonly ledger: LedgerWatch;
  readonly marks: LaneMarks;
  readonly split: BatchSplit;
  /** Undefined: none. */
  readonly trace?: Trace | undefined;
  /** Of a lane whose store somebody has paused: it is left alone, and so its mark goes quiet. */
  readonly isPaused: (lane: Lane) => Promise<boolean>;
}

/** Told which batches are in hand, so that their lanes' marks are renewed. */
export interface LaneMarks {
  hold(lane: Lane, number: string): void;
  release(lane: Lane): void;
}

export interface FlushOptions {
  readonly signal: AbortSignal;
  /** For somebody who waits: the lane has a job of its own besides. */
  readonly isHurry: boolean;
  onProgress(summary: FlushSummary): Promise<void>;
}

export type FlushResult = FlushSummary & {
  /** When the lane needs another job, in ms from now; undefined when it is empty, or has one. */
  readonly againInMs: number | undefined;
};

export class LaneFlush {
  readonly #dependencies: LaneFlushDependencies;
  readonly #underWay = new Map<string, LaneVisit>();

  constructor(dependencies: LaneFlushDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * One flush of a lane at a time: who comes meanwhile leaves its work to that, and gets undefined; so does
   * who comes to a paused one.
   * @throws RetryLater when a batch could not be applied: it stays sealed
   */
  async run(lane: Lane, { signal, isHurry, onProgress }: FlushOptions): Promise<FlushResult | undefined> {
    const other = this.#underWay.get(lane.name);
    if (other) {
      other.join(isHurry);
      return undefined;
    }
    const visit = new LaneVisit(signal, isHurry);
    this.#underWay.set(lane.name, visit);
    try {
      if (await this.#dependencies.isPaused(lane)) return undefined;
      return await this.#flush(lane, visit, onProgress);
    } finally {
      this.#underWay.delete(lane.name);
    }
  }

  async #flush(lane: Lane, visit: LaneVisit, onProgress: FlushOptions['onProgress']): Promise<FlushResult> {
    const { isPaused } = this.#dependencies;
    const startedAt = Date.now();
    let summary: FlushSummary = { batches: 0, rows: 0, skipped: 0, refused: 0, ms: 0 };
    while (!visit.isStopped && !(await isPaused(lane)) && Date.now() - startedAt < flushMaxMs) {
      visit.look();
      const sealed = await this.#seal(lane, visit.stayMs);
      visit.found(sealed.kind === 'batch');
      const sealedAt = Date.now();
      if (sealed.kind === 'batch') {
        const flushed = await this.#traceBatch(lane, sealed.batch);
        if (flushed === 'away') break;
        summary = add(summary, flushed, Date.now() - startedAt);
        await onProgress(summary);
      }
      const restMs = this.#restMs(lane, sealed, Date.now() - sealedAt);
      if (restMs !== 0 && (await visit.rest(restMs))) return { ...summary, againInMs: visit.owed(restMs) };
    }
    return { ...summary, againInMs: visit.owed(0) };
  }

  /**
   * Before the first batch of a generation, the lane is compared with the ledger. @throws RetryLater when
   * that is away
   */
  async #seal(lane: Lane, staysMs: number): Promise<Exclude<SealReply, { kind: 'uncompared' }>> {
    const { buffer, sizeOf, ledger } = this.#dependencies;
    for (;;) {
      const known = { floor: ledger.floorOf(lane), compared: ledger.comparedOf(lane) };
      const sealed = await buffer.seal(lane, { ...sizeOf(lane).limits, ...known, staysMs });
      if (sealed.kind !== 'uncompared') return sealed;
      try {
        await ledger.compareOnce([lane]);
      } catch (error) {
        throw new RetryLater('unavailable', jittered(retryWaits.unavailable.firstMs), error);
      }
    }
  }

  #traceBatch(lane: Lane, batch: Batch): Promise<Flushed | 'away'> {
    const { trace } = this.#dependencies;
    if (trace === undefined) return this.#flushBatch(lane, batch);
    const { number, size } = batch;
    const facts = { 'forebay.lane': lane.name, 'forebay.batch': number, 'forebay.size': size };
    return trace('forebay.flush', facts, async (tell) => {
      const flushed = await this.#flushBatch(lane, batch);
      tell(flushed === 'away' ? { 'forebay.outcome': 'away' } : factsOf(flushed));
      return flushed;
    });
  }

  /** Until the next look; undefined: the lane is empty. */
  #restMs(lane: Lane, sealed: SealReply, sinceMs: number): number | undefined {
    if (sealed.kind === 'batch') return this.#dependencies.sizeOf(lane).restMs(sealed.batch.size, sinceMs);
    return sealed.kind === 'wait' ? sealed.waitMs : undefined;
  }

  /** 'away': the batch stays sealed, and the lane is to be handed back. */
  async #flushBatch(lane: Lane, batch: Batch): Promise<Flushed | 'away'> {
    const { emit, marks, breaker, ledger } = this.#dependencies;
    const { number, size } = batch;
    const sealedAt = performance.now();
    emit({ type: 'batch.sealed', lane: lane.name, number, size });
    marks.hold(lane, number);
    try {
      const { outcome, outdated } = await breaker.run(() => this.#apply(lane, batch));
      if (outcome === 'void') return await this.#split(lane, batch);
      // The entries are dropped right behind: before, a reader would put the sealed record back.
      const [isAcked] = await Promise.all([this.#ack(lane, batch, sealedAt), this.#drop(lane, outdated)]);
      const isNew = outcome === 'applied';
      // What had been applied before was perhaps sealed again by a Redis that has gone back in time.
      if (isAcked && !isNew) void ledger.compare([lane]);
      return { rows: isNew ? size : 0, skipped: isNew ? 0 : 1, refused: 0 };
    } catch (error) {
      return await this.#recover(lane, batch, error);
    } finally {
      marks.release(lane);
    }
  }

  async #apply(lane: Lane, batch: Batch): Promise<Applied> {
    const { database, persisterOf, sizeOf, ledger, prefix, emit } = this.#dependencies;
    const startedAt = performance.now();
    const applied = await applyBatch(batch, { database, persister: persisterOf(lane), prefix, emit });
    const ms = Math.round(performance.now() - startedAt);
    const isNew = applied.outcome === 'applied';
    ledger.applied(lane, BigInt(batch.number));
    if (isNew) sizeOf(lane).applied(batch.size, ms);
    emit({
      type: 'batch.applied',
      lane: lane.name,
      number: batch.number,
      applied: isNew,
      size: batch.size,
      ms,
    });
    return applied;
  }

  async #ack(lane: Lane, { number, size, sealing }: Batch, sealedAt: number): Promise<boolean> {
    const { buffer, emit } = this.#dependencies;
    const isAcked = await buffer.ack(lane, number);
    const told = { lane: lane.name, number, size };
    if (isAcked) emit({ type: 'batch.acked', ...told, ...ageNow(sealing, sealedAt) });
    else emit({ type: 'batch.late', ...told });
    return isAcked;
  }

  async #drop(lane: Lane, outdated: Outdated): Promise<void> {
    if (outdated.size > 0) await this.#dependencies.buffer.drop(lane, outdated);
  }

  /**
   * What to do about a batch that failed. A parent row that is on its way is given some tries before anybody
   * looks closer.
   */
  async #recover(lane: Lane, batch: Batch, error: unknown): Promise<Flushed | 'away'> {
    if (error instanceof DatabaseAway) return 'away';
    if (error instanceof RetryLater) throw error;
    const reason = failureReason(error);
    if (reason === 'refused') return this.#split(lane, batch, error);
    const { waitMs, failures } = await this.#dependencies.buffer.postpone(
      lane,
      batch.number,
      retryWaits[reason],
    );
    // The database answers, else it would be away: which records fail is found out, whatever they fail with.
    if (batch.sealing?.isRetry || failures > triesMax[reason]) return this.#split(lane, batch);
    throw this.#retryLater(lane, batch, { reason, waitMs, error });
  }

  /** `error`: the batch was refused, and it is not known which records are to blame. */
  async #split(lane: Lane, batch: Batch, error?: unknown): Promise<Flushed | 'away'> {
    const { split, buffer } = this.#dependencies;
    try {
      return { rows: 0, skipped: 0, refused: await split.run(lane, batch, error) };
    } catch (failure) {
      if (failure instanceof DatabaseAway) return 'away';
      const reason = isForebayError(failure, 'DEAD_LETTERS_FULL') ? 'refused' : failureReason(failure);
      const { waitMs } = await buffer.postpone(lane, batch.number, retryWaits[reason]);
      throw this.#retryLater(lane, batch, { reason, waitMs, error: failure });
    }
  }

  /** The lane's mark stands at the next try, so that the sweep leaves the lane alone until then. */
  #retryLater(
    lane: Lane,
    batch: Batch,
    { reason, waitMs, error: full }: { reason: FailureReason; waitMs: number; error: unknown },
  ): RetryLater {
    const retryMs = jittered(waitMs);
    const error = shownError(full, batch, lane.group);
    const { number } = batch;
    this.#dependencies.emit({ type: 'batch.failed', lane: lane.name, number, reason, retryMs, error });
    return new RetryLater(reason, retryMs, error);
  }
}

/** By the clock of Redis until it was sealed, by the worker's from then on: no two clocks are compared. */
function ageNow(sealing: Sealing | undefined, sealedAt: number): { readonly ageMs?: number } {
  if (sealing?.ageMs === undefined) return {};
  return { ageMs: Math.round(sealing.ageMs + performance.now() - sealedAt) };
}

/** A driver's message may tell of private values. */
function shownError(error: unknown, batch: Batch, group: LaneGroup): unknown {
  const isSecretive = group.records.some(({ privateFields }) => privateFields.size > 0);
  return isSecretive && !isForebayError(error) ? new Error(shownOf(messageOf(error), batch, group)) : error;
}

/** What became of one batch. */
type Flushed = Pick<FlushSummary, 'rows' | 'skipped' | 'refused'>;

function factsOf({ rows, skipped, refused }: Flushed): SpanFacts {
  return { 'forebay.rows': rows, 'forebay.skipped': skipped, 'forebay.refused': refused };
}

function add(summary: FlushSummary, flushed: Flushed, ms: number): FlushSummary {
  return {
    batches: summary.batches + 1,
    rows: summary.rows + flushed.rows,
    skipped: summary.skipped + flushed.skipped,
    refused: summary.refused + flushed.refused,
    ms,
  };
}
