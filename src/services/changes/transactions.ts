/**
 * Transactions, from the messages of the replication: which rows each has touched, without those that forebay
 * itself has written.
 *
 * A batch of forebay's begins with a message that names what it writes. That is left out; what triggers and
 * cascades do to other rows is not.
 */
import type { ComputedStore } from '../../definitions/computed.js';
import { type Store, withCounters } from '../../definitions/stores.js';
import { fieldOf, writtenMessage } from '../../keys.js';
import { type ColumnText, type CoveredTable, type CoveredTables, textsOf } from './covered-tables.js';
import type { Dependents } from './dependents.js';
import { type Message, parseMessage, type Relation, type RowChange } from './pgoutput.js';
import { Touched } from './touched.js';

export interface ChangedRows {
  /** Of transactions, the lower halves of their numbers. */
  readonly xids: readonly number[];
  /** Behind the first commit, and behind the last. */
  readonly firstLsn: bigint;
  readonly lsn: bigint;
  readonly transactions: number;
  /** When the first was committed, by the clock of Postgres. */
  readonly committedAtMs: number;
  readonly rows: Touched<Store>;
  /** That are made of rows, forebay's own too. */
  readonly values: Touched<ComputedStore>;
}

interface OpenTransaction {
  readonly xid: number;
  readonly committedAtMs: number;
  readonly rows: Touched<Store>;
  readonly values: Touched<ComputedStore>;
  /** That forebay writes in it. */
  own: ReadonlySet<string>;
}

interface KnownRelation {
  readonly relation: Relation;
  readonly table: CoveredTable;
}

export interface TransactionsOptions {
  readonly tables: CoveredTables;
  readonly dependents: Dependents;
  readonly prefix: string;
  /** Of each transaction that has touched any. */
  onChanged(changed: ChangedRows): void;
  /** Behind each commit, whatever it was of. */
  onCommit(lsn: bigint): void;
}

export class Transactions {
  readonly #options: TransactionsOptions;
  readonly #written: string;
  readonly #relations = new Map<number, KnownRelation>();
  #open: OpenTransaction | undefined;

  constructor(options: TransactionsOptions) {
    this.#options = options;
    this.#written = writtenMessage(options.prefix);
  }

  /** Amidst a transaction. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  read(bytes: Buffer): void {
    const message = parseMessage(bytes);
    switch (message.kind) {
      case 'begin':
        this.#open = { ...message, rows: new Touched(), values: new Touched(), own: new Set() };
        break;
      case 'commit':
        this.#commit(message.lsn);
        break;
      case 'relation':
        this.#know(message.relation);
        break;
      case 'told':
        if (this.#open && message.name === this.#written) this.#open.own = new Set(fieldsIn(message.text));
        break;
      case 'other':
        break;
      default:
        if (this.#open) this.#change(message, this.#open);
    }
  }

  #know(relation: Relation): void {
    const table = this.#options.tables.of(relation);
    if (table) this.#relations.set(relation.oid, { relation, table });
    else this.#relations.delete(relation.oid);
  }

  #change(message: Extract<Message, RowChange | { kind: 'truncate' }>, open: OpenTransaction): void {
    if (message.kind === 'truncate') {
      for (const oid of message.oids) this.#all(this.#relations.get(oid)?.table, open);
      return;
    }
    const known = this.#relations.get(message.oid);
    if (known) this.#row(message, known.relation, known.table, open);
  }

  #all(table: CoveredTable | undefined, { rows, values }: OpenTransaction): void {
    if (!table) return;
    for (const store of table.stores) rows.addAll(store);
    this.#options.dependents.touchAll(table.model, values);
  }

  #row(change: RowChange, relation: Relation, table: CoveredTable, open: OpenTransaction): void {
    const before = change.before && table.oldTextsOf(relation, change.before);
    const after = change.after && textsOf(relation, change.after);
    if (before) this.#touch(before, table, open);
    if (after) this.#touch(after, table, open);
    const { dependents } = this.#options;
    if (!dependents.has(table.model)) return;
    const textsBefore = before && table.textsOf(before);
    const told = {
      kind: change.kind,
      ...(textsBefore && { before: textsBefore }),
      // A large value that stays as it was is told of the row before alone.
      ...(after && { after: { ...textsBefore, ...table.textsOf(after) } }),
    };
    dependents.touch(table.model, told, open.values);
  }

  #touch(textOf: ColumnText, table: CoveredTable, open: OpenTransaction): void {
    const idKey = table.idKeyOf(textOf);
    if (idKey === null) return;
    for (const store of table.stores) {
      if (idKey === undefined) open.rows.addAll(store);
      else if (!isOwn(store, idKey, open)) open.rows.add(store, idKey);
    }
  }

  #commit(lsn: bigint): void {
    const open = this.#open;
    this.#open = undefined;
    if (open && !(open.rows.isEmpty && open.values.isEmpty)) {
      const { xid, committedAtMs, rows, values } = open;
      const facts = { xids: [xid], transactions: 1, firstLsn: lsn, lsn, committedAtMs };
      this.#options.onChanged({ ...facts, rows, values });
    }
    this.#options.onCommit(lsn);
  }
}

function isOwn(store: Store, idKey: string, { own }: OpenTransaction): boolean {
  return own.size > 0 && withCounters(store).some(({ name }) => own.has(fieldOf(name, idKey)));
}

const fieldsIn = (text: string): string[] => JSON.parse(text) as string[];
