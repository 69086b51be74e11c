/**
 * Persisters: how the batches of a group of stores are written. For models the SQL is generated: that of the
 * rows, and one statement for each counter's deltas; stores with a persist of their own are called.
 */
import { type Batch, fieldsOf, rowsOf } from '../buffer/batch.js';
import { hasAggregates, rootKeyOfField } from '../definitions/aggregate.js';
import type { Model } from '../definitions/model.js';
import type { ModelSource, Transaction } from '../definitions/record.js';
import type { CounterStore, LaneGroup, RecordStore, Store } from '../definitions/stores.js';
import { fieldOf } from '../keys.js';
import { adaptBatch, unfitRows } from './adapted-batch.js';
import { sqlStateOf } from './database.js';
import { differingFinder, haveTriggers } from './differing-rows.js';
import { withoutEachOther } from './each-other.js';
import { tableName } from './names.js';
import { type RowStatements, recordStatements } from './record-statements.js';
import { counterModel, idJson, matchParts, ofRecordset } from './rows-by-id.js';
import { readSql } from './sql-file.js';
import { type FindOutdated, MissingRow, type Outdated, type Statement, type Write } from './statement.js';
import { readTable, type Table } from './table.js';
import { findByHalves, findOneByOne, type Refusal } from './trial.js';
import { letterOf, unitsOf } from './units.js';
import { onlyNewer } from './version-column.js';

/** The SQLSTATE of what comes behind an error in its transaction. */
const transactionAborted = '25P02';

export interface Persister {
  readonly write: Write;
  /**
   * Tries all records one by one or in parts, and undoes that: those that the database refuses, of a batch
   * that it refused.
   */
  findRefused(batch: Batch, tx: Transaction): Promise<Refusal[]>;
  /** Records whose rows are newer. To be called after `write`, in its transaction; so is the next. */
  readonly findOvertaken: FindOutdated;
  /**
   * Records whose rows have other values than they, in columns that were left to the database or to the row,
   * or that a trigger has changed.
   */
  readonly findDiffering: FindOutdated;
  /** Fields of what it writes, of which it is found out whether the entries are wrong then. */
  certainFields(batch: Batch): string[];
}

/** @throws ForebayError DATABASE_NOT_READY when a table or column is not there */
export async function createPersister(group: LaneGroup, database: Transaction): Promise<Persister> {
  const custom = customWrite(group);
  if (custom) {
    return {
      write: custom,
      findRefused: (batch, tx) => findByHalves(group, batch, tx, custom),
      findOvertaken: noneFound,
      findDiffering: noneFound,
      certainFields: fieldsOf,
    };
  }
  return createModelPersister(group, database);
}

async function createModelPersister(group: LaneGroup, database: Transaction): Promise<Persister> {
  const rows: RowStatements[] = [];
  for (const record of group.records) rows.push(await recordStatements(record, database));
  const counters: Statement[] = [];
  for (const counter of group.counters) counters.push(await counterStatement(counter, database));
  const isTriggered = await haveTriggers(tablesOf(group, database), database);
  // Rows are deleted before those that they refer to, and put after them.
  const deletes = rows.map((one) => one.delete).reverse();
  const statementsOf = (batch: Batch): Statement[] => [
    ...deletes,
    ...rows.flatMap((one) => one.putsOf(batch)),
    ...counters,
  ];
  const findDiffering = await forEachStore(group, database, (store) =>
    differingFinder(store, database, { isTriggered }),
  );
  const writeRows: Write = (batch, tx) => runStatements(statementsOf(batch), batch, tx);
  return {
    write: (given, tx) => {
      const { batch, unfit } = adaptBatch(group.records, given);
      if (unfit.size > 0) throw unfitRows(unfit);
      return writeRows(batch, tx);
    },
    findRefused: async (given, tx) => {
      const { batch, unfit } = adaptBatch(group.records, given);
      const refusals = [
        ...refusalsOf(group, given, unfit),
        ...(await findOneByOne(group, statementsOf(batch), batch, tx)),
      ];
      const all = hasAggregates(group) ? onePerLetter(refusals) : refusals;
      return withoutEachOther(group, batch, all, tx, writeRows);
    },
    findOvertaken: await forEachStore(group, database, overtakenFinder),
    findDiffering: (given, tx) => findDiffering(adaptBatch(group.records, given).batch, tx),
    // What a trigger makes of a counter, or of a row that counts, is not looked at.
    certainFields: isTriggered && group.counters.length > 0 ? () => [] : fieldsOf,
  };
}

function tablesOf({ records, counters }: LaneGroup, database: Transaction): string[] {
  const models = [
    ...records.map(({ source }) => (source as ModelSource).model),
    ...counters.map(counterModel),
  ];
  return models.map((model) => tableName(model, database));
}

function refusalsOf(group: LaneGroup, batch: Batch, unfit: ReadonlyMap<string, string>): Refusal[] {
  if (unfit.size === 0) return [];
  const units = unitsOf(group, batch);
  return [...unfit].map(([field, message]) => {
    const key = rootKeyOfField(group, field);
    const fields = units.get(key) as string[];
    return { fields, letter: letterOf(group, key, fields), state: '', message };
  });
}

/** Several of an aggregate's records may be to blame, which is refused as a whole. */
function onePerLetter(refusals: readonly Refusal[]): Refusal[] {
  return [...new Map([...refusals].reverse().map((one) => [one.letter, one])).values()];
}

async function forEachStore(
  { records }: LaneGroup,
  database: Transaction,
  finder: (store: RecordStore, database: Transaction) => Promise<FindOutdated>,
): Promise<FindOutdated> {
  const finders: FindOutdated[] = [];
  for (const store of records) finders.push(await finder(store, database));
  return async (batch, tx) => {
    const found: Outdated[] = [];
    for (const find of finders) found.push(await find(batch, tx));
    return new Map(found.flatMap((one) => [...one]));
  };
}

async function runStatements(statements: readonly Statement[], batch: Batch, tx: Transaction): Promise<void> {
  for (const { sql, store, items } of statements) {
    const given = items(batch);
    if (given.length === 0) continue;
    // The items are JSON already: joined, not parsed.
    const found = await tx.$executeRawUnsafe(sql, `[${given.map(({ json }) => json).join(',')}]`);
    if (store.kind === 'counter' && found < given.length)
      throw new MissingRow(`${given.length - found} rows of counters of store ${store.name} do not exist.`);
  }
}

/** The write of a store with a persist of its own. */
function customWrite({ records: [record], counters: [counter] }: LaneGroup): Write | undefined {
  if (record?.source.kind === 'custom')
    return unlessAborted(record, customRecordWrite(record, record.source));
  if (counter?.source.kind === 'custom')
    return unlessAborted(counter, customCounterWrite(counter, counter.source));
  return undefined;
}

/** A transaction whose error somebody has caught would be undone without a word as it ends. */
function unlessAborted({ name }: Store, write: Write): Write {
  return async (batch, tx) => {
    await write(batch, tx);
    try {
      await tx.$queryRawUnsafe('SELECT 1');
    } catch (error) {
      if (sqlStateOf(error) !== transactionAborted) throw error;
      throw new Error(
        `persist of store "${name}" has caught an error of Postgres, which has undone all of its transaction by that: let it throw.`,
      );
    }
  };
}

function customRecordWrite(
  store: RecordStore,
  source: Extract<RecordStore['source'], { kind: 'custom' }>,
): Write {
  return async (batch, tx) => {
    const { lane, number } = batch;
    const { deletes, puts } = rowsOf(batch, store);
    const rows = puts.map(({ json }) => store.rows.decode(json));
    if (deletes.length + rows.length > 0)
      await source.persist({ lane, number: BigInt(number), deletes, puts: rows }, tx);
  };
}

function customCounterWrite(
  store: CounterStore,
  source: Extract<CounterStore['source'], { kind: 'custom' }>,
): Write {
  return async (batch, tx) => {
    const deltas = (batch.deltas.get(store.name) ?? []).map(({ idKey, delta }) => ({
      id: idKey,
      delta: BigInt(delta),
    }));
    if (deltas.length > 0) await source.persist(deltas, tx);
  };
}

async function overtakenFinder(store: RecordStore, database: Transaction): Promise<FindOutdated> {
  const { version } = store;
  if (version === undefined) return noneFound;
  const { model } = store.source as ModelSource;
  const table = await readTable(model, database);
  const found = onlyNewer(version, table, matchParts(model, table));
  const sql = readSql('read-overtaken', { table: table.name, ...found });
  return async (batch, tx) => {
    const { versions } = rowsOf(batch, store);
    const records = [...versions].map(([key, text]) => ({
      ...idJson(store, model, key),
      [version]: text,
      _key: key,
    }));
    if (records.length === 0) return new Map();
    const rows = await tx.$queryRawUnsafe<{ key: string }[]>(sql, JSON.stringify(records));
    return new Map(rows.map(({ key }) => [fieldOf(store.name, key), versions.get(key) as string] as const));
  };
}

const noneFound: FindOutdated = async () => new Map();

async function counterStatement(store: CounterStore, database: Transaction): Promise<Statement> {
  const { source } = store as { source: { field: string } };
  const model = counterModel(store);
  const table = await readTable(model, database);
  return {
    sql: addSql(store, model, table, source.field),
    store,
    items: (batch) =>
      (batch.deltas.get(store.name) ?? []).map(({ idKey, delta }) => ({
        idKey,
        json: JSON.stringify({ ...idJson(store, model, idKey), _delta: delta }),
      })),
  };
}

function addSql(store: CounterStore, model: Model, table: Table, field: string): string {
  const column = table.columns([field])[0] as string;
  if (store.record || !canInsertById(model, field)) {
    return readSql('add', { table: table.name, column, ...matchParts(model, table) });
  }
  return readSql('insert-or-add', {
    table: table.name,
    column,
    initial: String(store.initial),
    columns: table.columns(model.id).join(', '),
    fields: model.id.map(ofRecordset).join(', '),
    recordset: table.recordset(model.id),
  });
}

/** Whether a row can be made of its id and the counter alone. */
function canInsertById(model: Model, counter: string): boolean {
  return Object.entries(model.fields).every(
    ([name, field]) =>
      name === counter || model.id.includes(name) || field.isNullable || field.hasDatabaseDefault,
  );
}
