/**
 * Splits a batch that the database refused: its number becomes void, its refused records become dead letters or wait for the rows
 * that they refer to, and the rest is applied under a new number. A step that was interrupted is done again.
 */
import { type Batch, partOf } from '../../buffer/batch.js';
import type { Lane } from '../../buffer/lane.js';
import type { LetterError, SplitDone, SplitPart, WriteBuffer } from '../../buffer/write-buffer.js';
import { voidBatch } from '../../database/apply.js';
import { type Database, sqlStates } from '../../database/database.js';
import type { Persister } from '../../database/persister.js';
import { idKeysOf, type Refusal, unitFields } from '../../database/trial.js';
import type { LaneGroup } from '../../definitions/stores.js';
import { ForebayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { fieldOf, splitField } from '../../keys.js';
import type { DeadLetterQueue } from '../../queues/dead-letter-queue.js';
import type { DatabaseBreaker } from './database-breaker.js';

export interface BatchSplitDependencies {
  readonly buffer: WriteBuffer;
  readonly database: Database;
  readonly persisterOf: (lane: Lane) => Persister;
  readonly prefix: string;
  readonly emit: Emit;
  readonly breaker: DatabaseBreaker;
  readonly deadLetters: DeadLetterQueue;
}

export interface SplitResult {
  /** Records that are left in the batch. */
  readonly rest: number;
  /** Records that became dead letters. */
  readonly dead: number;
  /** How long to leave the records alone that wait, in ms; 0: none waits. */
  readonly waitingMs: number;
}

const nothingSplit: SplitResult = { rest: 0, dead: 0, waitingMs: 0 };

/** Those that wait are tried again after half of the time that they have waited, within these bounds. */
const waitMinMs = 20;
const waitMaxMs = 500;
/** A row that gives up a unique value is flushed within its store's delay, as a rule. */
const uniqueWaitMs = 2_000;

export class BatchSplit {
  readonly #dependencies: BatchSplitDependencies;

  constructor(dependencies: BatchSplitDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * @param isRefused the batch fails as a whole: when none of its records fails alone, it is halved
   * @throws ForebayError DEAD_LETTERS_FULL: the batch stays as it is; DatabaseAway; what the database throws
   */
  async run(lane: Lane, batch: Batch, isRefused: boolean): Promise<SplitResult> {
    const { database, persisterOf, prefix, breaker, buffer } = this.#dependencies;
    const refusals = await breaker.run(() =>
      voidBatch(batch, { database, persister: persisterOf(lane), prefix }),
    );
    if (refusals === undefined) return nothingSplit;
    this.#dependencies.emit({ type: 'batch.void', lane: lane.name, number: batch.number });
    const halved = isRefused && refusals.length === 0 ? upperHalf(lane.group, batch) : [];
    const parts = [...refusals.flatMap((refusal) => partsOf(lane.group, refusal)), ...halved];
    const reply = await buffer.split(lane, batch.number, parts);
    if (reply.kind === 'full') throw deadLettersFull(lane);
    return reply.kind === 'late' ? nothingSplit : this.#tell(lane, batch, reply, refusals);
  }

  async #tell(
    lane: Lane,
    { number }: Batch,
    reply: SplitDone,
    refusals: readonly Refusal[],
  ): Promise<SplitResult> {
    const { rest, waitedMs, deadFields } = reply;
    const dead = deadFields.length;
    const waiting = refusals.filter((refusal) => waitMaxOf(lane.group, refusal) > 0).length;
    this.#dependencies.emit({ type: 'batch.split', lane: lane.name, number, rest, dead, waiting });
    const byField = new Map(refusals.map((refusal) => [refusal.fields[0], refusal]));
    for (const field of deadFields) await this.#show(lane, field, byField.get(field) as Refusal);
    const waitingMs = waiting === 0 ? 0 : Math.min(waitMaxMs, Math.max(waitMinMs, waitedMs / 2));
    return { rest, dead, waitingMs };
  }

  async #show(lane: Lane, field: string, { state, message }: Refusal): Promise<void> {
    const { buffer, deadLetters, emit } = this.#dependencies;
    const error = new ForebayError('DATABASE_REFUSED', message, { context: { state } });
    emit({ type: 'record.refused', lane: lane.name, field, state, error });
    try {
      const letter = await buffer.deadLetter(lane, field);
      if (letter) await deadLetters.show(letter);
    } catch (error) {
      emit({ type: 'dead-letter.not-shown', lane: lane.name, field, error });
    }
  }
}

function partsOf(group: LaneGroup, refusal: Refusal): SplitPart[] {
  const { fields, state, message } = refusal;
  const letter = fields[0] as string;
  const error: LetterError = { state, message };
  const waitMs = waitMaxOf(group, refusal);
  // Also those without a delta: they may be cached as those of a row that is on its way.
  const all = new Set([...fields, ...countersOf(group, letter)]);
  return [...all].map((field) => ({
    field,
    fate: waitMs > 0 ? 'wait' : 'dead',
    waitMs,
    letter,
    row: rowOf(group, field),
    error: JSON.stringify(error),
  }));
}

/** For how long a record may wait for what another lane still has: the row that it refers to, or the unique value that it wants. */
function waitMaxOf(group: LaneGroup, { state }: Refusal): number {
  if (state === sqlStates.foreignKeyViolation) return group.parentWaitMs;
  return state === sqlStates.uniqueViolation ? Math.min(group.parentWaitMs, uniqueWaitMs) : 0;
}

/** Something between the records is at fault: fewer of them, and at last one alone, show what. */
function upperHalf(group: LaneGroup, batch: Batch): SplitPart[] {
  const idKeys = [...idKeysOf(batch)].sort();
  const upper = idKeys.slice(Math.ceil(idKeys.length / 2));
  const half = partOf(batch, new Set(upper));
  return upper.flatMap((idKey) =>
    unitFields(group, half, idKey).map((field) => ({
      field,
      fate: 'again',
      waitMs: 0,
      letter: field,
      row: rowOf(group, field),
      error: '',
    })),
  );
}

/** The fields of the counters that live in a record's row. */
function countersOf(group: LaneGroup, field: string): string[] {
  const { store, idKey } = splitField(field);
  return store === group.record?.name ? group.counters.map(({ name }) => fieldOf(name, idKey)) : [];
}

/** The field of the record in whose row a counter lives. */
function rowOf(group: LaneGroup, field: string): string {
  const { store, idKey } = splitField(field);
  return group.record && store !== group.record.name ? fieldOf(group.record.name, idKey) : '';
}

function deadLettersFull(lane: Lane): ForebayError {
  return new ForebayError(
    'DEAD_LETTERS_FULL',
    `Lane ${lane.name} holds its maximum of ${lane.group.deadLettersMax} dead letters, so a batch with refused records holds ` +
      'it up. Replay or discard dead letters, or raise deadLettersMax.',
    { retryable: true, context: { lane: lane.name, deadLettersMax: lane.group.deadLettersMax } },
  );
}
