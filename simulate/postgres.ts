/** A small model of Postgres behind the persister's port: rows, the ledger, and transactions that are atomic. */
import type { Batch } from '../src/buffer/batch.js';
import { type Database, rowMissing } from '../src/database/database.js';
import { ledgerName } from '../src/database/names.js';
import type { Persister } from '../src/database/persister.js';
import { readSql } from '../src/database/sql-file.js';
import { idKeysOf, type Refusal } from '../src/database/trial.js';
import type { Transaction } from '../src/definitions/record.js';

export interface Row {
  readonly name: string;
  readonly touches: bigint;
}

interface Ledger {
  readonly batch: bigint;
  readonly isVoid: boolean;
  readonly generation: string | null;
  readonly persisted: string | null;
}

interface State {
  readonly rows: Map<string, Row>;
  ledger: Ledger | undefined;
  readonly names: Set<string>;
  readonly deltas: Map<string, bigint>;
}

export class Refused extends Error {
  override readonly name = 'Refused';
}

const ledger = ledgerName({} as Database);
const sqls = {
  advance: readSql('advance-ledger', { ledger }),
  void: readSql('void-batch', { ledger }),
  isVoid: readSql('is-void', { ledger }),
  read: readSql('read-ledgers', { ledger }),
  limit: readSql('limit-transaction'),
};

export class Postgres {
  state: State = { rows: new Map(), ledger: undefined, names: new Set(), deltas: new Map() };
  /** Ids whose rows are refused as if their parent was missing. */
  readonly refused = new Set<string>();

  /** A connection, whose every transaction is one step of the actor. */
  connection(gate: (call: string) => Promise<void>): Database {
    return {
      $transaction: async (work: (tx: Transaction) => Promise<unknown>) => {
        await gate('transaction');
        const { rows, ledger, names, deltas } = this.state;
        const state = { rows: new Map(rows), ledger, names: new Set(names), deltas: new Map(deltas) };
        const result = await work(transaction(state));
        this.state = state;
        return result;
      },
      $queryRawUnsafe: async (sql: string, lanes: string[]) => {
        await gate('query');
        return transaction(this.state).$queryRawUnsafe(sql, lanes[0]);
      },
    } as unknown as Database;
  }

  readonly persister: Persister = {
    write: async (batch, tx) => {
      if (this.#refusalsOf(batch, stateOf(tx)).length > 0) throw new Refused('a row is refused');
      write(batch, stateOf(tx));
    },
    findRefused: async (batch, tx) => this.#refusalsOf(batch, stateOf(tx)),
    findOvertaken: async () => undefined,
    findDiffering: async () => undefined,
  };

  #refusalsOf(batch: Batch, { rows }: State): Refusal[] {
    return [...idKeysOf(batch)].sort().flatMap((id): Refusal[] => {
      const [row, counter] = [`projects:${id}`, `touches:${id}`];
      const deltas = [...batch.deltas.values()].flat().filter(({ idKey }) => idKey === id);
      const isPut = batch.puts.some(({ idKey }) => idKey === id);
      const isThere = isPut || (rows.has(id) && !batch.deletes.includes(id));
      if ((isPut || (deltas.length > 0 && isThere)) && this.refused.has(id)) {
        const fields = [row, ...(deltas.length > 0 ? [counter] : [])];
        return [{ fields, letter: row, state: '23503', message: 'its parent is not there' }];
      }
      if (deltas.length === 0 || isThere) return [];
      return [{ fields: [counter], letter: row, state: rowMissing, message: 'no row' }];
    });
  }
}

const states = new WeakMap<Transaction, State>();
const stateOf = (tx: Transaction): State => states.get(tx) as State;

function transaction(state: State): Transaction {
  const tx = {
    $executeRawUnsafe: async (sql: string, ...values: string[]) => {
      if (sql === sqls.limit) return 0;
      const batch = BigInt(values[1] as string);
      const { ledger } = state;
      if (sql === sqls.void) return voidBatch(state, batch);
      if (sql !== sqls.advance) throw new Error(`The model of Postgres does not know: ${sql}`);
      if (ledger && ledger.batch >= batch) return 0;
      const [, , generation = null, given = null] = values;
      const persisted = given ?? (ledger?.generation === generation ? (ledger?.persisted ?? null) : null);
      state.ledger = { batch, isVoid: false, generation, persisted };
      return 1;
    },
    $queryRawUnsafe: async (sql: string, lane: string, number?: string) => {
      const { ledger } = state;
      if (sql === sqls.limit) return [];
      if (sql === sqls.isVoid) return ledger?.isVoid && `${ledger.batch}` === number ? [{}] : [];
      if (sql !== sqls.read) throw new Error(`The model of Postgres does not know: ${sql}`);
      return ledger ? [{ ...ledger, lane, batch: `${ledger.batch}` }] : [];
    },
  } as unknown as Transaction;
  states.set(tx, state);
  return tx;
}

function voidBatch(state: State, batch: bigint): number {
  const { ledger } = state;
  if (ledger && !(ledger.batch < batch || (ledger.batch === batch && ledger.isVoid))) return 0;
  state.ledger = { generation: null, persisted: null, ...ledger, batch, isVoid: true };
  return 1;
}

function write({ deletes, puts, deltas }: Batch, { rows, names, deltas: counted }: State): void {
  for (const id of deletes) rows.delete(id);
  for (const { idKey, json } of puts) {
    const { name } = JSON.parse(json) as { name: string };
    names.add(name);
    rows.set(idKey, { name, touches: rows.get(idKey)?.touches ?? 0n });
  }
  for (const { idKey, delta } of [...deltas.values()].flat()) {
    const row = rows.get(idKey) as Row;
    rows.set(idKey, { ...row, touches: row.touches + BigInt(delta) });
    counted.set(idKey, (counted.get(idKey) ?? 0n) | BigInt(delta));
  }
}
