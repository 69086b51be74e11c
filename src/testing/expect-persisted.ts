/** An assertion: what the app reads of a row is what the database has. */
import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import type { DeadLetter } from '../client/dead-letters.js';
import type { RecordStore } from '../definitions/stores.js';
import { ForebayError } from '../errors.js';

/** What is asked of an app. */
export interface PersistedApp {
  /** Its stores, by name. */
  readonly stores: Readonly<Record<string, unknown>>;
  /** Resolves when all is persisted. */
  flush(): Promise<void>;
  /** What the database refused. */
  readonly deadLetters: { list(options: { store: string }): AsyncIterable<DeadLetter> };
}

interface Rows {
  readonly store: Pick<RecordStore, 'rows'>;
  get(id: unknown): Promise<unknown>;
  refresh(id: unknown): Promise<unknown>;
}

/**
 * Flushes, and compares the row that the app reads with the one that the database has. Fields that a put may
 * leave to the row that is there (`@default(now())`) are the database's to say: a row that nobody has read
 * shows when it was put until it is flushed.
 * @returns the row; null when it is deleted, or never was
 * @throws AssertionError when they differ, with both, and the dead letter where there is one; what `flush`
 * throws
 */
export async function expectPersisted<A extends PersistedApp, Name extends keyof A['stores'] & string>(
  app: A,
  store: Name,
  id: A['stores'][Name] extends { refresh(id: infer Id): unknown } ? Id : never,
): Promise<A['stores'][Name] extends { get(id: never): Promise<infer Row> } ? Row : never> {
  const rows = app.stores[store] as Rows | undefined;
  if (rows === undefined) throw new ForebayError('UNKNOWN_STORE', `There is no store "${store}".`);
  const accepted = await rows.get(id);
  await app.flush();
  // Nothing is pending any more, so this is the database's.
  const actual = await rows.refresh(id);
  const left = rows.store.rows.leftFields;
  if (isDeepStrictEqual(without(actual, left), without(accepted, left))) return actual as never;
  const message = `The row of store "${store}" is not in the database as it was accepted.${await refusalOf(app, store)}`;
  throw new AssertionError({ message, actual, expected: accepted, operator: 'expectPersisted' });
}

function without(row: unknown, fields: readonly string[]): unknown {
  if (typeof row !== 'object' || row === null) return row;
  return Object.fromEntries(Object.entries(row).filter(([name]) => !fields.includes(name)));
}

async function refusalOf(app: PersistedApp, store: string): Promise<string> {
  for await (const { id, error } of app.deadLetters.list({ store }))
    return ` The database refused the record ${id}: ${error.message}`;
  return '';
}
