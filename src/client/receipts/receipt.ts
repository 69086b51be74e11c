/** What a write returns once it is accepted. */

import { setTimeout as wait } from 'node:timers/promises';
import type { AppBuffer } from '../../buffer/app-buffer.js';
import type { Lane } from '../../buffer/lane.js';
import type { AcceptedAt } from '../../buffer/lane-state.js';
import type { DeadLetter, LetterError } from '../../buffer/step-replies.js';
import { rowMissing } from '../../database/database.js';
import { rootKeyOfField } from '../../definitions/aggregate.js';
import { type Store, storesOf } from '../../definitions/stores.js';
import { ForebayError, isForebayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { checkObject } from '../../given.js';
import { fieldOf, splitField } from '../../keys.js';
import { checkedTimeoutMs, type PersistedWatch } from './persisted.js';

const persistedTimeoutMs = 30_000;
/** How often a record is looked at that waits for another's row. */
const waitingLookMs = 200;

/** What receipts ask. */
export interface ReceiptDesk {
  readonly watch: Pick<PersistedWatch, 'persisted' | 'fateNow'>;
  readonly buffer: AppBuffer;
  readonly emit: Emit;
}

/** What a write returns once it is accepted. */
export class Receipt<Id = unknown> {
  /** The store that was written to. */
  readonly store: string;
  /** The lane that carries the write to the database, e.g. `tasks/3`. */
  readonly lane: string;
  /** Grows with each write of a lane; µs since 1970, about. */
  readonly version: bigint;
  readonly #generation: string;
  readonly #field: string;
  readonly #lane: Lane;
  readonly #desk: ReceiptDesk;

  /** @internal */
  constructor(desk: ReceiptDesk, lane: Lane, field: string, { version, generation }: AcceptedAt) {
    this.store = field.slice(0, field.indexOf(':'));
    this.lane = lane.name;
    this.version = version;
    this.#generation = generation;
    this.#field = field;
    this.#lane = lane;
    this.#desk = desk;
  }

  /** Of the record: also one that was made for it. */
  get id(): Id {
    const { ids } = storesOf(this.#lane.group).find(({ name }) => name === this.store) as Store;
    return ids.fromKey(splitField(this.#field).idKey) as Id;
  }

  /**
   * Resolves when the write is in the database, or a newer one of the same record that took its place; also
   * when it was a dead letter that somebody has discarded since. It waits for the store's delay; `flush()`
   * does not.
   * @param options.timeoutMs default 30,000
   * @throws ForebayError PERSIST_TIMEOUT (the write is kept); DATABASE_REFUSED: it is a dead letter, or what
   * took its place is; COUNTER_ROW_MISSING: the delta's row does not exist; WRITE_LOST: Redis has lost the
   * write
   */
  async persisted(options: { timeoutMs?: number } = {}): Promise<void> {
    checkObject('The options of persisted', options);
    const { timeoutMs = persistedTimeoutMs } = options;
    const deadline = Date.now() + checkedTimeoutMs(timeoutMs);
    while ((await this.#reached(deadline, timeoutMs)) !== 'persisted') {
      if (!(await this.#isLeftBehind())) return;
      if (Date.now() >= deadline) throw persistTimeout(this, timeoutMs);
      await wait(waitingLookMs);
    }
  }

  get #acceptedAt(): AcceptedAt {
    return { version: this.version, generation: this.#generation };
  }

  async #reached(deadline: number, timeoutMs: number): Promise<'persisted' | 'unless-left-behind'> {
    const leftMs = Math.max(deadline - Date.now(), 0);
    const outcome = await this.#desk.watch.persisted(this.#lane, this.#acceptedAt, leftMs);
    if (outcome === 'late') throw persistTimeout(this, timeoutMs);
    if (outcome === 'lost') throw writeLost(this);
    return outcome;
  }

  /**
   * Once the lane has come to this write: whether its record was left behind, and may come yet; also while
   * Redis does not tell.
   */
  async #isLeftBehind(): Promise<boolean> {
    const { watch, buffer, emit } = this.#desk;
    try {
      if (await buffer.isWaiting(this.#lane, this.#field, this.version)) return true;
      if (await this.#endsWithRow()) return true;
      const refusal = await this.#refusal();
      if (refusal !== undefined) throw refused(this, refusal);
      // A dead letter that ended between the looks is on its way again: the lane has not come to it then.
      const fate = await watch.fateNow(this.#lane, this.#acceptedAt);
      return fate === 'pending' || fate === 'unknown';
    } catch (error) {
      if (isForebayError(error)) throw error;
      emit({ type: 'redis.error', connection: 'reads', error });
      return true;
    }
  }

  /** A delta that ends with its row, whose deletion waits. */
  async #endsWithRow(): Promise<boolean> {
    const row = this.#rowField;
    return row !== this.#field && this.#desk.buffer.waitsToDelete(this.#lane, row);
  }

  /** What the database said, when this write is in a dead letter. */
  async #refusal(): Promise<LetterError | undefined> {
    const { buffer } = this.#desk;
    for (const field of new Set([this.#field, this.#rowField, this.#rootField])) {
      const letter = await buffer.letters.get(this.#lane, field);
      if (letter && this.#isIn(letter)) return letter.error;
    }
    return undefined;
  }

  /** Of a counter: that of the record in whose row it is, where there is one. */
  get #rowField(): string {
    const record = this.#lane.group.counters.find(({ name }) => name === this.store)?.record;
    return record ? fieldOf(record.name, splitField(this.#field).idKey) : this.#field;
  }

  /** Of an aggregate: that of its root, which is the letter's. */
  get #rootField(): string {
    const { group } = this.#lane;
    return fieldOf(group.name, rootKeyOfField(group, this.#field));
  }

  /** A record's version is that of the last of its writes. */
  #isIn({ since, records }: DeadLetter): boolean {
    const record = records[this.#field];
    if (record === undefined || this.version < BigInt(since)) return false;
    const version = /^[PDR](\d+)\|/.exec(record)?.[1];
    return version === undefined || this.version <= BigInt(version);
  }
}

function persistTimeout({ store, lane, version }: Receipt, timeoutMs: number): ForebayError {
  return new ForebayError(
    'PERSIST_TIMEOUT',
    `After ${timeoutMs} ms, a write of store "${store}" is not in the database yet. It is kept in lane ${lane}. Check that the ` +
      'write-behind workers run, and their log for batches that failed.',
    { retryable: true, context: { store, lane, version, timeoutMs } },
  );
}

function refused({ store, lane, version }: Receipt, { state, message }: LetterError): ForebayError {
  const context = { store, lane, version };
  if (state === rowMissing) {
    return new ForebayError(
      'COUNTER_ROW_MISSING',
      `The row that a delta of store "${store}" counts in does not exist. The delta is a dead letter: it counts once the row is put, and ends ` +
        'with a delete of it.',
      { context },
    );
  }
  return new ForebayError(
    'DATABASE_REFUSED',
    `The database refuses a write of store "${store}": ${message}. It is a dead letter: write the record anew, replay or discard it.`,
    { context },
  );
}

function writeLost({ store, lane, version }: Receipt): ForebayError {
  return new ForebayError(
    'WRITE_LOST',
    `Redis has gone back in time and lost a write of store "${store}" that it had accepted; nothing proves that it was in the database ` +
      'before. Read the record, and write it again where that is needed.',
    { context: { store, lane, version } },
  );
}
