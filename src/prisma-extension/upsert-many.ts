/**
 * `upsertMany`: rows in bulk, each inserted, or written over the one with its id as Prisma's `upsert` with
 * the same `create` and `update` does.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { isOfForeignKey, sqlStateOf, uniqueViolation } from '../database/database.js';
import { upsertSql } from '../database/record-statements.js';
import { readTable, type Table } from '../database/table.js';
import { fieldValue } from '../definitions/field-value.js';
import { type IdCodec, modelIdCodec } from '../definitions/id.js';
import type { Field, Model } from '../definitions/model.js';
import type { Transaction } from '../definitions/record.js';
import { modelRowCodec, type RowCodec } from '../definitions/row-codec.js';
import { ForebayError, isForebayError } from '../errors.js';
import { isTransactionClient, type PrismaClient } from './prisma-client.js';

type Values = Record<string, unknown>;

/** Of one statement. */
const chunkRowsMax = 2_000;
const chunkLengthMax = 8_388_608;

/** Of the transaction of several statements, in ms. */
const transactionOptions = { maxWait: 10_000, timeout: 60_000 } as const;

/** What another order of the rows may mend: a unique value that one gives up, a row that one refers to. */
function isOfOrder(state: string | undefined): boolean {
  return state === uniqueViolation || (state !== undefined && isOfForeignKey(state));
}

interface Row {
  readonly index: number;
  readonly input: Values;
  readonly idKey: string;
  /** Names of the fields that were left out, joined: rows with the same ones share statements. */
  readonly left: string;
}

interface Chunk {
  readonly left: string;
  /** Rows as JSON. */
  readonly json: string;
}

export interface Upserted {
  readonly count: number;
  readonly idKeys: readonly string[];
}

export class Upserts {
  readonly #model: Model;
  readonly #version: string | undefined;
  readonly #rows: RowCodec<unknown, Values>;
  readonly #ids: IdCodec<unknown>;
  /** Fields of which a row that is there keeps what it has, when they are left out. */
  readonly #kept: readonly string[];
  #table: Promise<Table> | undefined;
  readonly #sqlByLeft = new Map<string, string>();

  /** `version`: the field that holds rows' versions, which writes past forebay set to the time in µs. */
  constructor(model: Model, version: string | undefined) {
    const { id, fields } = model;
    this.#model = model;
    this.#version = version;
    this.#rows = modelRowCodec(model, [], { store: model.name, valueBytesMax: Number.MAX_SAFE_INTEGER });
    this.#ids = modelIdCodec(model.name, model);
    this.#kept = Object.keys(fields).filter((name) => !fields[name]?.isUpdatedAt && !id.includes(name));
  }

  /** All rows or none. @throws ForebayError INVALID_VALUE, INVALID_ID; DATABASE_NOT_READY; Prisma's errors */
  async run(client: PrismaClient, inputs: readonly object[]): Promise<Upserted> {
    const rows = inputs.map((input, i) => withIndex(i, () => this.#toRow(input as Values, i)));
    return {
      count: isMixed(rows)
        ? await this.#writeMixed(client, rows)
        : await this.#writeAll(client, this.#chunksOf(rows)),
      idKeys: rows.map(({ idKey }) => idKey),
    };
  }

  /**
   * Those with the same fields go together, before others that stand between them. Where they need each other
   * in the order in which they were given, they are written once more in that.
   */
  async #writeMixed(client: PrismaClient, rows: readonly Row[]): Promise<number> {
    const run = (sql: string): Promise<unknown> =>
      isTransactionClient(client) ? client.$executeRawUnsafe(sql) : Promise.resolve();
    await run('SAVEPOINT forebay_upserts');
    const count = await this.#writeAll(client, this.#chunksOf(rows)).catch(async (error: unknown) => {
      if (!isOfOrder(sqlStateOf(error))) throw error;
      await run('ROLLBACK TO SAVEPOINT forebay_upserts');
      return this.#writeAll(client, this.#chunksInOrder(rows));
    });
    await run('RELEASE SAVEPOINT forebay_upserts');
    return count;
  }

  async #writeAll(client: PrismaClient, chunks: Generator<Chunk, undefined>): Promise<number> {
    // What the caller's transaction goes on with must not be a part of the rows.
    if (isTransactionClient(client)) return this.#write(client, [...chunks].values());
    const first = chunks.next();
    if (first.done) return 0;
    const second = chunks.next();
    if (second.done) return this.#write(client, [first.value].values());
    const all = joined([first.value, second.value], chunks);
    return client.$transaction((tx) => this.#write(tx, all), transactionOptions);
  }

  /** The next chunk is made while the database writes one. */
  async #write(client: Transaction, chunks: Iterator<Chunk, undefined>): Promise<number> {
    let count = 0;
    for (let chunk = chunks.next(); !chunk.done; ) {
      const [written, next] = await Promise.allSettled([
        this.#send(client, chunk.value),
        turn().then(() => chunks.next()),
      ]);
      if (written.status === 'rejected') throw written.reason;
      if (next.status === 'rejected') throw next.reason;
      count += written.value;
      chunk = next.value;
    }
    return count;
  }

  async #send(client: Transaction, { left, json }: Chunk): Promise<number> {
    const table = await this.#readTable(client);
    return client.$executeRawUnsafe(this.#sqlOf(table, left), json);
  }

  /** In their order; a row that comes again is in a later chunk, for a statement writes a row only once. */
  *#chunksOf(rows: readonly Row[]): Generator<Chunk, undefined> {
    for (const round of toRounds(rows)) {
      for (const [left, group] of byLeft(round)) yield* this.#sized(left, group);
    }
  }

  *#chunksInOrder(rows: readonly Row[]): Generator<Chunk, undefined> {
    let run = new Map<string, Row>();
    let left = '';
    for (const row of rows) {
      if (run.size > 0 && (row.left !== left || run.has(row.idKey))) {
        yield* this.#sized(left, [...run.values()]);
        run = new Map();
      }
      left = row.left;
      run.set(row.idKey, row);
    }
    if (run.size > 0) yield* this.#sized(left, [...run.values()]);
  }

  *#sized(left: string, rows: readonly Row[]): Generator<Chunk, undefined> {
    let texts: string[] = [];
    let length = 0;
    for (const { index, input } of rows) {
      const text = withIndex(index, () => this.#rows.encode(input));
      if (texts.length > 0 && (texts.length >= chunkRowsMax || length + text.length > chunkLengthMax)) {
        yield { left, json: `[${texts.join(',')}]` };
        texts = [];
        length = 0;
      }
      texts.push(text);
      length += text.length;
    }
    yield { left, json: `[${texts.join(',')}]` };
  }

  #toRow(given: Values, index: number): Row {
    const versioned = this.#withVersion(given);
    const input = this.#rows.complete(versioned);
    const left = this.#kept.filter((name) => fieldValue(versioned, name) === undefined);
    return { index, input, idKey: this.#ids.toKey(this.#ids.ofRow(input)), left: left.join(',') };
  }

  #withVersion(input: Values): Values {
    const version = this.#version;
    if (version === undefined || input?.[version] !== undefined) return input;
    return { ...input, [version]: BigInt(Date.now()) * 1_000n };
  }

  #sqlOf(table: Table, joinedLeft: string): string {
    const known = this.#sqlByLeft.get(joinedLeft);
    if (known !== undefined) return known;
    const left = joinedLeft.split(',');
    const { id, fields } = this.#model;
    const written = Object.keys(fields).filter(
      (name) => !table.generatedFields.includes(name) || id.includes(name),
    );
    const inserted = written.filter((name) => !(left.includes(name) && isDatabases(fields[name] as Field)));
    const replaced = written.filter((name) => !left.includes(name) && !id.includes(name));
    const sql = upsertSql(this.#model, table, { inserted, replaced });
    this.#sqlByLeft.set(joinedLeft, sql);
    return sql;
  }

  #readTable(client: Transaction): Promise<Table> {
    this.#table ??= readTable(this.#model, client).catch((error: unknown) => {
      this.#table = undefined;
      throw error;
    });
    return this.#table;
  }
}

/** Whether Prisma has no value for a new row that leaves the field out, and so leaves its column out. */
function isDatabases({ isList, hasDatabaseDefault, default: { kind } }: Field): boolean {
  return (isList && !hasDatabaseDefault) || kind === 'null' || kind === 'database';
}

/** @throws ForebayError INVALID_VALUE or INVALID_ID, with the row's index */
function withIndex<T>(index: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!isForebayError(error)) throw error;
    throw new ForebayError(error.code, `Row ${index} of upsertMany: ${error.message}`, {
      cause: error,
      context: { ...error.context, index },
    });
  }
}

function* joined<T>(first: readonly T[], others: Generator<T, undefined>): Generator<T, undefined> {
  yield* first;
  yield* others;
}

/** Whether some go in another statement than those before them. */
function isMixed(rows: readonly Row[]): boolean {
  return (
    rows.some(({ left }) => left !== rows[0]?.left) ||
    new Set(rows.map(({ idKey }) => idKey)).size < rows.length
  );
}

/** The first rows of each id, the second ones, and so on. */
function toRounds(rows: readonly Row[]): Row[][] {
  const rounds: Row[][] = [];
  const counts = new Map<string, number>();
  for (const row of rows) {
    const count = counts.get(row.idKey) ?? 0;
    counts.set(row.idKey, count + 1);
    const round = rounds[count];
    if (round) round.push(row);
    else rounds.push([row]);
  }
  return rounds;
}

function byLeft(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.left);
    if (group) group.push(row);
    else groups.set(row.left, [row]);
  }
  return groups;
}
