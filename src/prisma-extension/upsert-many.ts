/**
 * `upsertMany`: rows in bulk, each inserted, or written over the one with its id as Prisma's `upsert` with the
 * same `create` and `update` does.
 */
import { upsertSql } from '../database/record-statements.js';
import { readTable, type Table } from '../database/table.js';
import { type IdCodec, modelIdCodec } from '../definitions/id.js';
import type { Field, Model } from '../definitions/model.js';
import type { Transaction } from '../definitions/record.js';
import { modelRowCodec, type RowCodec } from '../definitions/row-codec.js';
import { ForebayError, isForebayError } from '../errors.js';
import { isTransactionClient, type PrismaClient } from './prisma-client.js';

type Values = Record<string, unknown>;

/** Of one statement. */
const chunkRowsMax = 5_000;
const chunkLengthMax = 8_388_608;

/** Of the transaction of several statements, in ms. */
const transactionOptions = { maxWait: 10_000, timeout: 60_000 } as const;

interface Row {
  readonly idKey: string;
  readonly json: string;
  /** Names of the fields that were left out: rows with the same ones share statements. */
  readonly left: readonly string[];
}

interface Chunk {
  readonly left: readonly string[];
  readonly rows: string[];
  length: number;
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
  #table: Promise<Table> | undefined;
  readonly #sqlByLeft = new Map<string, string>();

  /** `version`: the field that holds rows' versions, which writes past forebay set to the time in µs. */
  constructor(model: Model, version: string | undefined) {
    this.#model = model;
    this.#version = version;
    this.#rows = modelRowCodec(model, [], { store: model.name, valueBytesMax: Number.MAX_SAFE_INTEGER });
    this.#ids = modelIdCodec(model.name, model);
  }

  /** All rows or none. @throws ForebayError INVALID_VALUE, INVALID_ID; DATABASE_NOT_READY; Prisma's errors */
  async run(client: PrismaClient, inputs: readonly object[]): Promise<Upserted> {
    const rows = inputs.map((input, i) => this.#toRow(input, i));
    const idKeys = rows.map(({ idKey }) => idKey);
    if (rows.length === 0) return { count: 0, idKeys };
    const chunks = toChunks(rows);
    if (chunks.length === 1 || isTransactionClient(client)) {
      return { count: await this.#write(client, chunks), idKeys };
    }
    const count = await client.$transaction((tx) => this.#write(tx, chunks), transactionOptions);
    return { count, idKeys };
  }

  async #write(client: Transaction, chunks: readonly Chunk[]): Promise<number> {
    const table = await this.#readTable(client);
    let count = 0;
    for (const { left, rows } of chunks)
      count += await client.$executeRawUnsafe(this.#sqlOf(table, left), `[${rows.join(',')}]`);
    return count;
  }

  /** @throws ForebayError INVALID_VALUE or INVALID_ID, with the row's index */
  #toRow(input: object, index: number): Row {
    try {
      const given = this.#withVersion(input as Values);
      const row = this.#rows.complete(given);
      const idKey = this.#ids.toKey(this.#ids.ofRow(row));
      return { idKey, json: this.#rows.encode(row), left: this.#leftBy(given) };
    } catch (error) {
      if (!isForebayError(error)) throw error;
      throw new ForebayError(error.code, `Row ${index} of upsertMany: ${error.message}`, {
        cause: error,
        context: { ...error.context, index },
      });
    }
  }

  #withVersion(input: Values): Values {
    const version = this.#version;
    if (version === undefined || input?.[version] !== undefined) return input;
    return { ...input, [version]: BigInt(Date.now()) * 1_000n };
  }

  #leftBy(input: Values): string[] {
    const { id, fields } = this.#model;
    return Object.keys(fields).filter(
      (name) => input[name] === undefined && !fields[name]?.isUpdatedAt && !id.includes(name),
    );
  }

  #sqlOf(table: Table, left: readonly string[]): string {
    const key = left.join(',');
    const known = this.#sqlByLeft.get(key);
    if (known !== undefined) return known;
    const { id, fields } = this.#model;
    const written = Object.keys(fields).filter(
      (name) => !table.generatedFields.includes(name) || id.includes(name),
    );
    const inserted = written.filter((name) => !(left.includes(name) && isDatabases(fields[name] as Field)));
    const replaced = written.filter((name) => !left.includes(name) && !id.includes(name));
    const sql = upsertSql(this.#model, table, { inserted, replaced });
    this.#sqlByLeft.set(key, sql);
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

/** In their order; a row that comes again is in a later chunk, for a statement writes a row only once. */
function toChunks(rows: readonly Row[]): Chunk[] {
  return toRounds(rows).flatMap((round) => [...byLeft(round).values()].flatMap(toSizes));
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
    const key = row.left.join(',');
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

function toSizes(rows: readonly Row[]): Chunk[] {
  const chunks: Chunk[] = [];
  for (const { json, left } of rows) {
    let chunk = chunks.at(-1);
    if (!chunk || chunk.rows.length >= chunkRowsMax || chunk.length + json.length > chunkLengthMax) {
      chunk = { left, rows: [], length: 0 };
      chunks.push(chunk);
    }
    chunk.rows.push(json);
    chunk.length += json.length;
  }
  return chunks;
}
