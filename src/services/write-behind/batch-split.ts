/**
 * Splits a batch that the database refused: its number becomes void, its refused records become dead letters
 * or wait for the rows that they refer to, and the rest is applied under a new number. A step that was
 * interrupted is done again.
 */
import type { Batch } from '../../buffer/batch.js';
import type { Lane } from '../../buffer/lane.js';
import type { LetterError, SplitDone, SplitPart } from '../../buffer/step-replies.js';
import type { WriteBuffer } from '../../buffer/write-buffer.js';
import { voidBatch } from '../../database/apply.js';
import {
  type Database,
  isOfForeignKey,
  isOfServer,
  rowMissing,
  uniqueViolation,
} from '../../database/database.js';
import type { Persister } from '../../database/persister.js';
import { type Refusal, refusalOf } from '../../database/trial.js';
import { unitsOf } from '../../database/units.js';
import { aggregateAnchor, rootKeyOfField } from '../../definitions/aggregate.js';
import { shownLetter } from '../../definitions/private-fields.js';
import type { LaneGroup } from '../../definitions/stores.js';
import { ForebayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { fieldOf, splitField } from '../../keys.js';
import type { DeadLetterQueue } from '../../queues/dead-letter-queue.js';
import type { DatabaseBreaker } from './database-breaker.js';
import { shownOf } from './shown-batch.js';

export interface BatchSplitDependencies {
  readonly buffer: WriteBuffer;
  readonly database: Database;
  readonly persisterOf: (lane: Lane) => Persister;
  readonly prefix: string;
  readonly emit: Emit;
  readonly breaker: DatabaseBreaker;
  readonly deadLetters: DeadLetterQueue;
}

/** A row that gives up a unique value is flushed within its store's delay, as a rule. */
const uniqueWaitMs = 2_000;

export class BatchSplit {
  readonly #dependencies: BatchSplitDependencies;

  constructor(dependencies: BatchSplitDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Returns how many records became dead letters.
   * @param refusedWith the batch fails as a whole, with this: when none of its records fails alone, it is
   * halved
   * @throws ForebayError DEAD_LETTERS_FULL: the batch stays as it is; DatabaseAway; what the database throws
   */
  async run(lane: Lane, batch: Batch, refusedWith?: unknown): Promise<number> {
    const { database, persisterOf, prefix, breaker, emit } = this.#dependencies;
    const found = await breaker.run(() =>
      voidBatch(batch, { database, persister: persisterOf(lane), prefix }),
    );
    if (found === undefined) return 0;
    const units = unitsOf(lane.group, batch);
    const isNobodyFound = refusedWith !== undefined && found.length === 0;
    const isAlone = units.size === 1;
    // Alone in its batch, it is to blame, whatever a trial says of it.
    const blamed =
      isNobodyFound && isAlone ? [...units].map((unit) => refusalOf(lane.group, unit, refusedWith)) : found;
    const refusals = blamed.map((one) => ({
      ...one,
      message: shownOf(one.message, batch, lane.group, one.fields),
    }));
    emit({ type: 'batch.void', lane: lane.name, number: batch.number });
    if (isNobodys(lane.group, batch, refusals, units)) {
      // Tried again with what has been written since, it may show whether it is the records.
      await this.#split(lane, batch, againParts(lane.group, [...units.values()]));
      return 0;
    }
    const halved = isNobodyFound && !isAlone ? upperHalf(lane.group, units) : [];
    const parts = [...refusals.flatMap((refusal) => partsOf(lane.group, refusal)), ...halved];
    const done = await this.#split(lane, batch, parts, refusals);
    return done === undefined ? 0 : this.#tell(lane, batch, done, refusals);
  }

  /**
   * Undefined: another worker has split it. Deltas without a row are dropped, rather than to hold up the
   * lane.
   */
  async #split(
    lane: Lane,
    { number }: Batch,
    parts: readonly SplitPart[],
    refusals: readonly Refusal[] = [],
  ): Promise<SplitDone | undefined> {
    const { buffer } = this.#dependencies;
    const missing = new Set(refusals.filter(isMissing).flatMap(({ fields }) => fields));
    let reply = await buffer.split(lane, number, parts);
    if (reply.kind === 'full' && missing.size > 0) {
      const fate = ({ field, fate, anchor }: SplitPart) =>
        missing.has(field) && anchor === '' ? 'drop' : fate;
      reply = await buffer.split(
        lane,
        number,
        parts.map((part) => ({ ...part, fate: fate(part) })),
      );
    }
    if (reply.kind === 'full') throw deadLettersFull(lane);
    return reply.kind === 'late' ? undefined : reply;
  }

  async #tell(lane: Lane, { number }: Batch, done: SplitDone, refusals: readonly Refusal[]): Promise<number> {
    const { rest, deadFields } = done;
    const dead = deadFields.length;
    const waiting = refusals.filter((refusal) => waitMaxOf(lane.group, refusal) > 0).length;
    this.#dependencies.emit({ type: 'batch.split', lane: lane.name, number, rest, dead, waiting });
    this.#tellMissing(lane, refusals);
    const byLetter = new Map(refusals.map((refusal) => [refusal.letter, refusal]));
    for (const field of deadFields) await this.#show(lane, field, byLetter.get(field) as Refusal);
    return dead;
  }

  #tellMissing(lane: Lane, refusals: readonly Refusal[]): void {
    const stores = refusals.filter(isMissing).map(({ fields: [field] }) => splitField(field as string).store);
    for (const store of new Set(stores)) {
      const count = stores.filter((one) => one === store).length;
      this.#dependencies.emit({ type: 'counter.rows-missing', lane: lane.name, store, count });
    }
  }

  async #show(lane: Lane, field: string, { state, message }: Refusal): Promise<void> {
    const { buffer, deadLetters, emit } = this.#dependencies;
    const error = new ForebayError('DATABASE_REFUSED', message, { context: { state } });
    if (state !== rowMissing) emit({ type: 'record.refused', lane: lane.name, field, state, error });
    try {
      const letter = await buffer.letters.get(lane, field);
      if (letter) await deadLetters.show(shownLetter(letter, lane.group));
    } catch (error) {
      emit({ type: 'dead-letter.not-shown', lane: lane.name, field, error });
    }
  }
}

function partsOf(group: LaneGroup, refusal: Refusal): SplitPart[] {
  const { fields, letter, state, message } = refusal;
  const error: LetterError = { state, message };
  const waitMs = waitMaxOf(group, refusal);
  // Also those without a delta: they may be cached as those of a row that is on its way.
  const all = new Set(fields.flatMap((field) => [field, ...countersOf(group, field)]));
  return [...all].map((field) => ({
    ...placeOf(group, field),
    fate: waitMs > 0 ? 'wait' : 'dead',
    waitMs,
    letter,
    error: JSON.stringify(error),
  }));
}

function placeOf(group: LaneGroup, field: string): Pick<SplitPart, 'field' | 'row' | 'anchor'> {
  const { store, idKey } = splitField(field);
  return { field, row: rowOf(group, field), anchor: aggregateAnchor(group, store, idKey) ?? '' };
}

/**
 * For how long a record may wait: for what another lane still has, the row that it refers to or the unique
 * value that it wants; or because it fails, while others don't, with what is the server's to solve as a rule.
 */
function waitMaxOf(group: LaneGroup, { state }: Refusal): number {
  if (isOfForeignKey(state) || isOfServer(state)) return group.parentWaitMs;
  return state === uniqueViolation ? Math.min(group.parentWaitMs, uniqueWaitMs) : 0;
}

/**
 * All fail, with what is the server's or the schema's fault as a rule. Of those that have waited for that
 * others did not fail.
 */
function isNobodys(
  group: LaneGroup,
  batch: Batch,
  refusals: readonly Refusal[],
  units: ReadonlyMap<string, unknown>,
): boolean {
  if (refusals.length === 0 || batch.sealing?.isRetry) return false;
  const failed = new Set(refusals.map(({ fields: [field] }) => rootKeyOfField(group, field as string)));
  return failed.size === units.size && refusals.every(({ state }) => isOfServer(state));
}

/** Something between the records is at fault: fewer of them, and at last one alone, show what. */
function upperHalf(group: LaneGroup, units: ReadonlyMap<string, readonly string[]>): SplitPart[] {
  const sorted = [...units].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fields]) => fields);
  return againParts(group, sorted.slice(Math.ceil(sorted.length / 2)));
}

function againParts(group: LaneGroup, units: readonly (readonly string[])[]): SplitPart[] {
  return units.flat().map((field) => ({
    ...placeOf(group, field),
    fate: 'again',
    waitMs: 0,
    letter: field,
    error: '',
  }));
}

const isMissing = ({ state }: Refusal): boolean => state === rowMissing;

/** The fields of the counters that live in a record's row. */
function countersOf({ counters }: LaneGroup, field: string): string[] {
  const { store, idKey } = splitField(field);
  return counters.filter(({ record }) => record?.name === store).map(({ name }) => fieldOf(name, idKey));
}

/** The field of the record in whose row a counter lives. */
function rowOf({ counters }: LaneGroup, field: string): string {
  const { store, idKey } = splitField(field);
  const record = counters.find(({ name }) => name === store)?.record;
  return record ? fieldOf(record.name, idKey) : '';
}

function deadLettersFull(lane: Lane): ForebayError {
  return new ForebayError(
    'DEAD_LETTERS_FULL',
    `Lane ${lane.name} holds its maximum of ${lane.group.deadLettersMax} dead letters, so a batch with refused records holds ` +
      'it up. Replay or discard dead letters, or raise deadLettersMax.',
    { retryable: true, context: { lane: lane.name, deadLettersMax: lane.group.deadLettersMax } },
  );
}
