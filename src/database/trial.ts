/**
 * The trial of a batch that the database refused: which of its records are to blame. A record and the deltas
 * of its row's counters are one unit: what counts in a row goes where the row goes.
 */
import { type Batch, partOf } from '../buffer/batch.js';
import type { Transaction } from '../definitions/record.js';
import type { LaneGroup } from '../definitions/stores.js';
import { messageOf } from '../errors.js';
import { fieldOf, splitField } from '../keys.js';
import { failureReason, rowMissing, sqlStateOf } from './database.js';
import { readSql } from './sql-file.js';
import type { Statement, Write } from './statement.js';

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

/** A failed step's SQLSTATE, message and detail. */
type Failure = readonly [string, string, string];

/** Each record by itself, in the order of the batch's statements, all in one round trip. */
export async function findOneByOne(
  group: LaneGroup,
  statements: readonly Statement[],
  batch: Batch,
  tx: Transaction,
): Promise<Refusal[]> {
  const places = new Map<string, () => string[]>();
  const steps = statements.flatMap(({ store, items, isOfAll }, at) => {
    const all = items(batch);
    if (isOfAll) return [`[${at},"","${at}",[${all.map(({ json }) => json).join(',')}]]`];
    return all.map(({ idKey, json }) => {
      const unit = `u${idKey}`;
      const key = store === group.record ? unit : `${at}${idKey}`;
      places.set(key, () => (key === unit ? unitFields(group, batch, idKey) : [fieldOf(store.name, idKey)]));
      return `[${at},${JSON.stringify(unit)},${JSON.stringify(key)},${json},${store.kind === 'counter'}]`;
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
  return Object.entries(failures).flatMap(([key, [state, message, detail]]) => {
    const fields = places.get(key)?.();
    if (fields === undefined) return []; // a statement about all of them: what it breaks shows in the next ones
    const letter = letterOf(group, fields, state);
    return [{ fields, letter, state, message: detail === '' ? message : `${message} (${detail})` }];
  });
}

/** A delta without a row waits for it where a refused row's deltas do. */
function letterOf({ record }: LaneGroup, [first]: readonly string[], state: string): string {
  const field = first as string;
  return state === rowMissing && record ? fieldOf(record.name, splitField(field).idKey) : field;
}

/** A record's field, then those of its row's counters that the batch has. */
export function unitFields(group: LaneGroup, batch: Batch, idKey: string): string[] {
  const counters = group.counters.filter(({ name }) =>
    batch.deltas.get(name)?.some((delta) => delta.idKey === idKey),
  );
  return [...(group.record ? [group.record] : []), ...counters].map(({ name }) => fieldOf(name, idKey));
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
  const tryThese = async (idKeys: readonly string[]): Promise<void> => {
    if (idKeys.length === 0) return;
    await tx.$executeRawUnsafe('SAVEPOINT forebay_trial');
    try {
      await write(partOf(batch, new Set(idKeys)), tx);
    } catch (error) {
      const state = sqlStateOf(error);
      if (state === undefined && failureReason(error) === 'unavailable') throw error;
      await tx.$executeRawUnsafe('ROLLBACK TO SAVEPOINT forebay_trial');
      await blame(idKeys, error);
    }
  };
  const blame = async (idKeys: readonly string[], error: unknown): Promise<void> => {
    const [idKey] = idKeys;
    if (idKeys.length === 1 && idKey !== undefined) {
      const fields = unitFields(group, batch, idKey);
      const letter = fields[0] as string;
      refusals.push({ fields, letter, state: sqlStateOf(error) ?? '', message: messageOf(error) });
      return;
    }
    const middle = Math.ceil(idKeys.length / 2);
    await tryThese(idKeys.slice(0, middle));
    await tryThese(idKeys.slice(middle));
  };
  await tx.$executeRawUnsafe('SAVEPOINT forebay_trials');
  await tryThese([...idKeysOf(batch)]);
  await tx.$executeRawUnsafe('ROLLBACK TO SAVEPOINT forebay_trials');
  return refusals;
}

/** The ids of all records of a batch. */
export function idKeysOf(batch: Batch): Set<string> {
  const deltas = [...batch.deltas.values()].flat();
  return new Set([...batch.deletes, ...[...batch.puts, ...deltas].map(({ idKey }) => idKey)]);
}
