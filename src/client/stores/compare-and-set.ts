/**
 * Compare-and-set: rows with their versions, and updates that are tried again when another write came
 * between.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Entry } from '../../buffer/entry.js';
import { ForebayError, isForebayError } from '../../errors.js';
import { checkFunction, checkObject, notGiven } from '../../given.js';
import type { Receipt } from '../receipts/receipt.js';

/** A row with its version. */
export interface Versioned<Row> {
  /** Null: there is none, which has a version too. */
  readonly row: Row | null;
  /**
   * Of the record's last accepted write; of a row that was loaded, one that no other state of the record has
   * had.
   */
  readonly version: bigint;
}

/** Gives the row as it is to be; what it leaves out stays as it is. Null leaves all as it is. */
export type Change<Row, Input> = (row: Row | null) => Input | null | Promise<Input | null>;

/** What no version is would be a conflict to Redis; and an empty text, any version. */
export function versionText(version: bigint): string {
  if (typeof version === 'bigint') return String(version);
  throw notGiven('version', 'a bigint, as `getVersioned` gives it', version);
}

export type KnownEntry = Exclude<Entry, { kind: 'none' }>;

const lookAgainMaxMs = 50;
/** Longer than a lease, after which another loads. */
const waitMaxMs = 15_000;

const updateTriesMax = 10;
const updateWaitMaxMs = 200;

/**
 * Looks until what is known of a record has a version: writes and evictions may come between a look and the
 * next.
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

/** A row as it was read, with its JSON; undefined where there is none. */
export interface SeenRow<Row> extends Versioned<Row> {
  readonly json: string | undefined;
}

export interface UpdateSteps<Row, Input, Id> {
  readonly store: string;
  read(): Promise<SeenRow<Row>>;
  change: Change<Row, Input>;
  /** Writes what is changed, if the record is still as it was seen. */
  write(input: Input, seen: SeenRow<Row>): Promise<Receipt<Id>>;
}

/**
 * Reads, changes and writes, again while another write came between, at most 10 times.
 * @throws ForebayError CONFLICT, and what the steps throw
 */
export async function updateUntilAccepted<Row, Input, Id>(
  steps: UpdateSteps<Row, Input, Id>,
): Promise<Receipt<Id> | null> {
  checkFunction('The change of an update', steps.change);
  for (let tries = 1; ; tries++) {
    const seen = await steps.read();
    const input = await steps.change(seen.row);
    if (input === null) return null;
    checkObject('What the change of an update gives, when it is not null,', input);
    const result = await steps.write(input, seen).catch(toConflict);
    if (!(result instanceof ForebayError)) return result;
    if (tries === updateTriesMax) throw alwaysOvertaken(steps.store, result);
    // Writers that met must not meet again.
    await wait(Math.random() * Math.min(2 ** tries, updateWaitMaxMs));
  }
}

export function toConflict(error: unknown): ForebayError {
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
