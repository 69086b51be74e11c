/**
 * The trial of a batch that the database refused: which of its records are to blame, and what is refused with
 * them, see `unitsOf`.
 */
import { type Batch, partOf } from '../buffer/batch.js';
import { hasAggregates, rootKeyOf } from '../definitions/aggregate.js';
import type { Transaction } from '../definitions/record.js';
import type { LaneGroup } from '../definitions/stores.js';
import { messageOf } from '../errors.js';
import { fieldOf } from '../keys.js';
import { connectionFailure, failureReason, rowMissing, sqlStateOf } from './database.js';
import { readSql } from './sql-file.js';
import type { Statement, Write } from './statement.js';
import { letterOf, unitsOf } from './units.js';

/** A record that the database refuses, with what the same refusal holds back, and why. */
export interface Refusal {
  /** In the lane's hashes; the record before its counters. */
  readonly fields: readonly string[];
  /** The field of the dead letter that they become, or join: the row's. */
  readonly letter: string;
  /** The SQLSTATE; '' when a persist of the user's own threw something else. */
  readonly state: string;
  /** What the database says. */
  readonly message: string;
}

/** A failed step's SQLSTATE, message and detail; of an aggregate's, its field too. */
type Failure = readonly [state: string, message: string, detail: string, field: string | null];

/** Each record by itself, in the order of the batch's statements, all in one round trip. */
export async function findOneByOne(
  group: LaneGroup,
  statements: readonly Statement[],
  batch: Batch,
  tx: Transaction,
): Promise<Refusal[]> {
  const units = unitsOf(group, batch);
  const isWhole = hasAggregates(group);
  const places = new Map<string, Omit<Refusal, 'state' | 'message'>>();
  const steps = statements.flatMap(({ store, items, isOfAll }, at) => {
    const all = items(batch);
    if (isOfAll) return [`[${at},"","${at}",[${all.map(({ json }) => json).join(',')}]]`];
    return all.map(({ idKey, json }) => {
      const unitKey = rootKeyOf(group, store.name, idKey);
      const unit = `u${unitKey}`;
      const field = fieldOf(store.name, idKey);
      const fields = units.get(unitKey) ?? [];
      const letter = letterOf(group, unitKey, fields);
      // A delta without a row waits for it where a refused row's deltas do.
      const isAlone = store.kind === 'counter' && !isWhole;
      const key = isAlone ? `${at} ${idKey}` : unit;
      places.set(key, { fields: isAlone ? [field] : fields, letter });
      const facts = [at, JSON.stringify(unit), JSON.stringify(key), json, store.kind === 'counter'];
      return `[${facts.join(',')}${isWhole ? `,${JSON.stringify(field)}` : ''}]`;
    });
  });
  await tx.$queryRawUnsafe(
    readSql('give-trial'),
    JSON.stringify(statements.map(({ sql }) => sql)),
    `[${steps.join(',')}]`,
  );
  await tx.$executeRawUnsafe(readSql('try-records'));
  const [row] = await tx.$queryRawUnsafe<{ failures: string }[]>(readSql('read-failures'));
  const failures = JSON.parse(row?.failures ?? '{}') as Record<string, Failure>;
  return Object.entries(failures).flatMap(([key, failure]) => {
    const place = places.get(key);
    // A statement about all of them: what it breaks shows in the next ones.
    return place === undefined ? [] : [toRefusal(place, failure)];
  });
}

function toRefusal(
  { fields, letter }: Omit<Refusal, 'state' | 'message'>,
  [state, message, detail, field]: Failure,
): Refusal {
  const [first] = fields as [string];
  const words = detail === '' ? message : `${message} (${detail})`;
  const isMissing = state === rowMissing;
  return {
    fields,
    letter: isMissing || field !== null ? letter : first,
    state,
    message: field === null || field === letter ? words : `${field}: ${words}`,
  };
}

/** Of a unit, see `unitsOf`, that fails with an error as a whole. */
export function refusalOf(
  group: LaneGroup,
  [unitKey, fields]: readonly [unitKey: string, fields: readonly string[]],
  error: unknown,
): Refusal {
  const unknownState = failureReason(error) === 'unavailable' ? connectionFailure : '';
  const letter = letterOf(group, unitKey, fields);
  return { fields, letter, state: sqlStateOf(error) ?? unknownState, message: messageOf(error) };
}

/**
 * Halves of halves, each in a savepoint: for a persist of the user's own, which takes many records at once.
 */
export async function findByHalves(
  group: LaneGroup,
  batch: Batch,
  tx: Transaction,
  write: Write,
): Promise<Refusal[]> {
  const refusals: Refusal[] = [];
  // Stores with a persist of their own have no aggregates: a unit's key is an id's.
  const units = unitsOf(group, batch);
  const tryThese = async (idKeys: readonly string[]): Promise<void> => {
    if (idKeys.length === 0) return;
    const isMeant = new Set(idKeys);
    const part = partOf(batch, (_, idKey) => isMeant.has(idKey));
    const failure = await failureOf(() => write(part, tx), tx);
    if (failure !== undefined) await blame(idKeys, failure.error);
  };
  const blame = async (idKeys: readonly string[], error: unknown): Promise<void> => {
    const [idKey] = idKeys;
    if (idKeys.length === 1 && idKey !== undefined) {
      refusals.push(refusalOf(group, [idKey, units.get(idKey) as string[]], error));
      return;
    }
    const middle = Math.ceil(idKeys.length / 2);
    await tryThese(idKeys.slice(0, middle));
    await tryThese(idKeys.slice(middle));
  };
  await tx.$executeRawUnsafe('SAVEPOINT forebay_trials');
  await tryThese([...units.keys()]);
  await tx.$executeRawUnsafe('ROLLBACK TO SAVEPOINT forebay_trials');
  return refusals;
}

/** What a write fails with, or a deferred constraint behind it: that is undone. Undefined: it passes. */
export async function failureOf(
  work: () => Promise<void>,
  tx: Transaction,
): Promise<{ readonly error: unknown } | undefined> {
  await tx.$executeRawUnsafe('SAVEPOINT forebay_trial');
  try {
    await work();
    await tx.$executeRawUnsafe('SET CONSTRAINTS ALL IMMEDIATE');
    await tx.$executeRawUnsafe('SET CONSTRAINTS ALL DEFERRED');
    return undefined;
  } catch (error) {
    // Fails in turn where the connection is gone.
    await tx.$executeRawUnsafe('ROLLBACK TO SAVEPOINT forebay_trial');
    return { error };
  }
}
