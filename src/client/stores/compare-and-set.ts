/** Compare-and-set: rows with their versions, and updates that are tried again when another write came between. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Entry } from '../../buffer/entry.js';
import { ForebayError, isForebayError } from '../../errors.js';
import type { Receipt } from '../receipts/receipt.js';

/** A row with its version. */
export interface Versioned<Row> {
  /** Null: there is none, which has a version too. */
  readonly row: Row | null;
  /** Of the record's last accepted write; of a row that was loaded, one that no other state of the record has had. */
  readonly version: bigint;
}

/** Gives the row that replaces the one it is given; null leaves that as it is. */
export type Change<Row, Input> = (row: Row | null) => Input | null | Promise<Input | null>;

export type KnownEntry = Exclude<Entry, { kind: 'none' }>;

const lookAgainMaxMs = 50;
/** Longer than a lease, after which another loads. */
const waitMaxMs = 15_000;

const updateTriesMax = 10;
const updateWaitMaxMs = 200;

/**
 * Looks until what is known of a record has a version: writes and evictions may come between a look and the next.
 * @throws ForebayError LOAD_TIMEOUT
 */
export async function untilKnown(store: string, look: () => Promise<Entry>): Promise<KnownEntry> {
  const deadline = Date.now() + waitMaxMs;
  for (let looks = 1; ; looks++) {
    const entry = await look();
    if (entry.kind !== 'none') return entry;
    if (Date.now() >= deadline) throw neverKnown(store);
    await wait(Math.min(2 ** looks, lookAgainMaxMs));
  }
}

export interface UpdateSteps<Row, Input> {
  readonly store: string;
  read(): Promise<Versioned<Row>>;
  change: Change<Row, Input>;
  putIf(input: Input, version: bigint): Promise<Receipt>;
}

/**
 * Reads, changes and puts, again while another write came between, at most 10 times.
 * @throws ForebayError CONFLICT, and what the steps throw
 */
export async function updateUntilAccepted<Row, Input>(
  steps: UpdateSteps<Row, Input>,
): Promise<Receipt | null> {
  for (let tries = 1; ; tries++) {
    const { row, version } = await steps.read();
    const input = await steps.change(row);
    if (input === null) return null;
    const result = await steps.putIf(input, version).catch(toConflict);
    if (!(result instanceof ForebayError)) return result;
    if (tries === updateTriesMax) throw alwaysOvertaken(steps.store, result);
    // Writers that met must not meet again.
    await wait(Math.random() * Math.min(2 ** tries, updateWaitMaxMs));
  }
}

function toConflict(error: unknown): ForebayError {
  if (isForebayError(error, 'CONFLICT')) return error;
  throw error;
}

function alwaysOvertaken(store: string, last: ForebayError): ForebayError {
  return new ForebayError(
    'CONFLICT',
    `An update of a record of store "${store}" was overtaken by other writes ${updateTriesMax} times; nothing was written. ` +
      'Try again later, or let fewer writers change the record.',
    { retryable: true, cause: last, context: { ...last.context, tries: updateTriesMax } },
  );
}

function neverKnown(store: string): ForebayError {
  return new ForebayError(
    'LOAD_TIMEOUT',
    `A record of store "${store}" had no version within ${waitMaxMs} ms, as it was written, evicted or loaded by others all the time. Try again later.`,
    { retryable: true, context: { store, waitMaxMs } },
  );
}
