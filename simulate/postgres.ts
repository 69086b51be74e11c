/** A small model of Postgres behind the persister's port: rows, the ledger, and transactions that are atomic. */
import type { Batch, RowBatch } from '../src/buffer/batch.js';
import { type Database, rowMissing } from '../src/database/database.js';
import { ledgerName } from '../src/database/names.js';
import type { Persister } from '../src/database/persister.js';
import { readSql } from '../src/database/sql-file.js';
import { MissingRow } from '../src/database/statement.js';
import type { Refusal } from '../src/database/trial.js';
import type { Transaction } from '../src/definitions/record.js';
import { currentActor } from './actor.js';
import { type Row, written } from './row.js';

export interface Ledger {
  readonly batch: bigint;
  readonly isVoid: boolean;
  readonly generation: string | null;
  readonly persisted: string | null;
}

interface State {
  readonly rows: Map<string, Row>;
  readonly ledgers: Map<string, Ledger>;
  /** Lanes and numbers that were found void. */
  readonly voids: Set<string>;
  /** Every text that was ever in a row, and every delta. */
  readonly texts: Set<string>;
  readonly deltas: Map<string, bigint>;
}

/** As the adapter tells of a refused statement, and of a connection that was lost. */
class Failure extends Error {
  override readonly name = 'Failure';
  readonly meta: { readonly code: string };

  constructor(message: string, state: string) {
    super(message);
    this.meta = { code: state };
  }
}

/** What no row's text may end with. */
export const refusedEnd = '!';

const ledger = ledgerName({} as Database);
const sqls = {
  advance: readSql('advance-ledger', { ledger }),
  void: readSql('void-batch', { ledger }),
  isVoid: readSql('is-void', { ledger }),
  read: readSql('read-ledgers', { ledger }),
  limit: readSql('limit-transaction'),
};

export class Postgres {
  state: State = {
    rows: new Map(),
    ledgers: new Map(),
    voids: new Set(),
    texts: new Set(),
    deltas: new Map(),
  };
  /** Ids whose rows are refused as if their parent was missing. */
  readonly orphans = new Set<string>();
  /** What becomes of the next transaction: the server ends it, or its commit is not answered. */
  nextFailure: 'before' | 'after' | undefined;

  /** Whose every transaction, and every query beside one, is one step. */
  readonly database = {
    $transaction: async (work: (tx: Transaction) => Promise<unknown>) => {
      await currentActor()?.gate('transaction');
      const { rows, ledgers, voids, texts, deltas } = this.state;
      const state: State = {
        rows: new Map(rows),
        ledgers: new Map(ledgers),
        voids: new Set(voids),
        texts: new Set(texts),
        deltas: new Map(deltas),
      };
      const failure = this.#takeFailure();
      if (failure === 'before') throw new Failure('the server ends the transaction', '57P01');
      const result = await work(transaction(state));
      this.state = state;
      if (failure === 'after') throw new Failure('the connection is lost', '08006');
      return result;
    },
    $queryRawUnsafe: async (sql: string, lanes: string[]) => {
      await currentActor()?.gate('query');
      return transaction(this.state).$queryRawUnsafe(sql, lanes);
    },
  } as unknown as Database;

  readonly persister: Persister = {
    write: async (batch, tx) => {
      const [first] = this.#refusalsOf(batch, stateOf(tx)).sort((a, b) => (a.state > b.state ? 1 : -1));
      if (first?.state === rowMissing) throw new MissingRow(first.message);
      if (first) throw new Failure(first.message, first.state);
      write(batch, stateOf(tx));
    },
    findRefused: async (batch, tx) => this.#refusalsOf(batch, stateOf(tx)),
    findOvertaken: async () => new Map(),
    findDiffering: async () => new Map(),
    certainFields: () => [],
  };

  #takeFailure(): 'before' | 'after' | undefined {
    const failure = this.nextFailure;
    this.nextFailure = undefined;
    return failure;
  }

  #refusalsOf(batch: Batch, { rows }: State): Refusal[] {
    const { puts, deletes } = projectsOf(batch);
    const counted = [...batch.deltas.values()].flat();
    const ids = new Set([...deletes, ...[...puts, ...counted].map(({ idKey }) => idKey)]);
    return [...ids].sort().flatMap((id): Refusal[] => {
      const [letter, counter] = [`projects:${id}`, `touches:${id}`];
      const deltas = counted.filter(({ idKey }) => idKey === id);
      const put = puts.find(({ idKey }) => idKey === id);
      const isThere = put !== undefined || (rows.has(id) && !deletes.includes(id));
      const fields = [letter, ...(deltas.length > 0 ? [counter] : [])];
      if (put?.json.includes(`${refusedEnd}"`))
        return [{ fields, letter, state: '23514', message: 'its text' }];
      if ((put || (deltas.length > 0 && isThere)) && this.orphans.has(id))
        return [{ fields, letter, state: '23503', message: 'its parent is not there' }];
      if (deltas.length === 0 || isThere) return [];
      return [{ fields: [counter], letter, state: rowMissing, message: 'no row' }];
    });
  }
}

const states = new WeakMap<Transaction, State>();
const stateOf = (tx: Transaction): State => states.get(tx) as State;

function transaction(state: State): Transaction {
  const tx = {
    $executeRawUnsafe: async (sql: string, ...values: string[]) => {
      if (sql === sqls.advance) return advance(state, values);
      if (sql === sqls.void) return voidBatch(state, values[0] as string, BigInt(values[1] as string));
      throw new Error(`The model of Postgres does not know: ${sql}`);
    },
    $queryRawUnsafe: async (sql: string, given: string | string[], number?: string) => {
      if (sql === sqls.limit) return [];
      if (sql === sqls.isVoid) return state.voids.has(`${given} ${number}`) ? [{}] : [];
      const known = [given].flat().flatMap((lane) => {
        const found = state.ledgers.get(lane);
        return found ? [{ ...found, lane, batch: `${found.batch}` }] : [];
      });
      if (sql === sqls.read) return known;
      throw new Error(`The model of Postgres does not know: ${sql}`);
    },
  } as unknown as Transaction;
  states.set(tx, state);
  return tx;
}

function advance({ ledgers }: State, values: readonly (string | null)[]): number {
  const [lane, number, generation = null, given = null] = values;
  const [batch, known] = [BigInt(number as string), ledgers.get(lane as string)];
  if (known && known.batch >= batch) return 0;
  const persisted = given ?? (known?.generation === generation ? (known?.persisted ?? null) : null);
  ledgers.set(lane as string, { batch, isVoid: false, generation, persisted });
  return 1;
}

function voidBatch({ ledgers, voids }: State, lane: string, batch: bigint): number {
  const known = ledgers.get(lane);
  if (known && !(known.batch < batch || (known.batch === batch && known.isVoid))) return 0;
  ledgers.set(lane, { generation: null, persisted: null, ...known, batch, isVoid: true });
  voids.add(`${lane} ${batch}`);
  return 1;
}

const projectsOf = (batch: Batch): RowBatch => batch.rows.get('projects') as RowBatch;

function write(batch: Batch, { rows, texts, deltas: counted }: State): void {
  const { deletes, puts } = projectsOf(batch);
  for (const id of deletes) rows.delete(id);
  for (const { idKey, json, mark = '' } of puts) {
    const row = written(rows.get(idKey), { json, mark });
    rows.set(idKey, row);
    texts.add(row.name).add(row.note);
  }
  for (const { idKey, delta } of [...batch.deltas.values()].flat()) {
    const row = rows.get(idKey) as Row;
    rows.set(idKey, { ...row, touches: row.touches + BigInt(delta) });
    counted.set(idKey, (counted.get(idKey) ?? 0n) | BigInt(delta));
  }
}
