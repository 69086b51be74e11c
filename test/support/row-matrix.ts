/**
 * Rows of every type of column, written and read by forebay through one adapter and by plain Prisma through
 * another, whose session is Postgres's usual one in UTC: what the two hold and give is compared.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { inspect } from 'node:util';
import { PrismaPg } from '@prisma/adapter-pg';
import { expect, inject } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import type { Database } from '../../src/database/database.js';
import { record } from '../../src/definitions/record.js';
import { type Definitions, defineStores, type Stores } from '../../src/definitions/stores.js';
import type { WriteBehindService } from '../../src/services/write-behind/write-behind.js';
import { type ColumnType, columnTypes, schemaOf, tablesOf } from './column-types.js';
import { createEnvironment, type Environment } from './environment.js';
import {
  type Delegate,
  type GeneratedSchema,
  generateSchema,
  generatorProvider,
} from './generated-schema.js';

export type Row = Readonly<Record<string, unknown>>;

interface RowStore {
  putMany(rows: readonly Row[]): Promise<unknown>;
  update(id: unknown, change: (row: Row | null) => Row | null): Promise<unknown>;
  patch(id: unknown, fields: Row): Promise<unknown>;
  getMany(ids: readonly unknown[]): Promise<(Row | null)[]>;
  evict(id: unknown): Promise<void>;
}

type Client = Database & Record<string, Delegate>;

/** Rows of a type, without their ids. */
export interface RowsOfType {
  readonly type: ColumnType;
  readonly rows: readonly Row[];
}

/** An app and a worker that reach the database through an adapter of their own. */
export interface Session {
  readonly app: Forebay<Definitions>;
  readonly client: Client;
  close(): Promise<void>;
}

export class RowMatrix {
  readonly environment: Environment;
  readonly #schema: GeneratedSchema;
  readonly #plain: Client;
  readonly #stores: Stores;
  #count = 0;

  private constructor(environment: Environment, schema: GeneratedSchema) {
    this.environment = environment;
    this.#schema = schema;
    const { prefix } = environment.config;
    // Without a limit to the wait for a connection: many tables share few.
    const config = { connectionString: inject('databaseUrl'), options: `-c search_path=${prefix}`, max: 4 };
    const adapter = new PrismaPg(config, { schema: prefix });
    this.#plain = schema.createClient(adapter);
    const definitions = columnTypes.map(({ name }) => [
      name,
      record({ model: schema.models[`Row${name}`] as never, partitions: 1, delayMs: 1 }),
    ]);
    this.#stores = defineStores(Object.fromEntries(definitions) as Definitions);
  }

  static async open(): Promise<RowMatrix> {
    const schema = await generateSchema(schemaOf(columnTypes, generatorProvider));
    const environment = await createEnvironment();
    for (const statement of tablesOf(columnTypes)) await environment.prisma.$executeRawUnsafe(statement);
    return new RowMatrix(environment, schema);
  }

  async session(adapter: PrismaPg): Promise<Session> {
    const client = this.#schema.createClient(adapter);
    this.#count += 1;
    const config = {
      ...this.environment.config,
      prefix: `${this.environment.config.prefix}:session${this.#count}`,
    };
    const app = (await this.environment.connect(this.#stores, {
      prisma: client,
      config,
    })) as Forebay<Definitions>;
    const worker: WriteBehindService = await this.environment.startWorker(this.#stores, {}, client, config);
    const close = async (): Promise<void> => {
      await worker.stop(5_000);
      await app.close();
      await client.$disconnect();
    };
    return { app, client, close };
  }

  /** Pending, in the database, loaded again, and after writes of another column. */
  async compare({ app }: Session, given: readonly RowsOfType[]): Promise<void> {
    this.#count += 1;
    const checks = given.map((of) => new Check(app, this.#plain, of, this.#count));
    const each = (step: (check: Check) => Promise<unknown>): Promise<unknown> =>
      Promise.all(checks.map(step));
    await each((check) => check.write());
    await each((check) => check.expectSame('pending'));
    await app.flush();
    await each((check) => check.evict());
    await each((check) => check.expectSame('loaded'));
    await each((check) => check.expectSameTexts('persisted'));
    for (const verb of ['update', 'patch'] as const) {
      await each((check) => check.changeNote(verb));
      await app.flush();
      await each((check) => check.evict());
      await each((check) => check.expectSame(`${verb} of another column`));
      await each((check) => check.expectSameTexts(`${verb} of another column`));
    }
  }

  /** What only other programs write: read as plain Prisma reads it, and kept by an update of another column. */
  async compareForeign({ app }: Session): Promise<void> {
    this.#count += 1;
    const given = columnTypes
      .filter(({ foreign }) => foreign !== undefined)
      .map((type) => ({ type, rows: [] }));
    const checks = given.map((of) => new Check(app, this.#plain, of, this.#count));
    for (const check of checks) {
      await check.writeForeign();
      await check.expectSame('loaded');
      await check.changeNote('update');
    }
    await app.flush();
    for (const check of checks) {
      await check.evict();
      await check.expectSame('update of another column');
      await check.expectSameTexts('update of another column');
    }
  }

  async close(): Promise<void> {
    await this.environment.close();
    await this.#plain.$disconnect();
    this.#schema.remove();
  }
}

/** Rows of one type: `a…` are forebay's, `b…` plain Prisma's. */
class Check {
  readonly #plain: Client;
  readonly #store: RowStore;
  readonly #type: ColumnType;
  readonly #run: number;
  readonly #rows: readonly Row[];
  #ids: readonly string[];
  #note: string | undefined;

  constructor(app: Forebay<Definitions>, plain: Client, { type, rows }: RowsOfType, run: number) {
    this.#plain = plain;
    this.#store = (app.stores as Record<string, unknown>)[type.name] as RowStore;
    this.#type = type;
    this.#run = run;
    this.#rows = rows;
    this.#ids = rows.map((_, i) => `${run}_${i}`);
  }

  get #delegate(): Delegate {
    return this.#plain[`row${this.#type.name}`] as Delegate;
  }

  get #ours(): readonly string[] {
    return this.#ids.map((id) => `a${id}`);
  }

  async write(): Promise<void> {
    await this.#delegate.createMany({
      data: this.#rows.map((row, i) => ({ ...row, id: `b${this.#ids[i]}` })),
    });
    await this.#store.putMany(this.#rows.map((row, i) => ({ ...row, id: `a${this.#ids[i]}` })));
  }

  async writeForeign(): Promise<void> {
    const { name, foreign = [], sql, hasNoList } = this.#type;
    this.#ids = foreign.map((_, i) => `${this.#run}_${i}`);
    for (const [i, literal] of foreign.entries()) {
      for (const side of ['a', 'b']) {
        const id = `'${side}${this.#ids[i]}'`;
        const list = hasNoList ? '' : `, ARRAY[${literal}, ${literal}]::${sql}[]`;
        await this.#plain.$executeRawUnsafe(
          `INSERT INTO "Row${name}" (id, value${hasNoList ? '' : ', list'}) VALUES (${id}, ${literal}${list})`,
        );
      }
    }
  }

  async changeNote(verb: 'update' | 'patch'): Promise<void> {
    const note = `by ${verb}`;
    this.#note = note;
    const change = (id: string): Promise<unknown> =>
      verb === 'patch'
        ? this.#store.patch(id, { note })
        : this.#store.update(id, (row) => ({ ...row, note }));
    await Promise.all(this.#ours.map(change));
  }

  async evict(): Promise<void> {
    await Promise.all(this.#ours.map((id) => this.#store.evict(id)));
  }

  async expectSame(when: string): Promise<void> {
    const found = await this.#delegate.findMany({ where: { id: { startsWith: `b${this.#run}_` } } });
    const byId = new Map(found.map((row) => [row.id, row]));
    const expected = this.#ids.map((id) => ({
      ...byId.get(`b${id}`),
      id: `a${id}`,
      ...(this.#note !== undefined && { note: this.#note }),
    }));
    const ours = await this.#store.getMany(this.#ours);
    // expect takes a field "constructor" for the value's class.
    for (const [i, row] of expected.entries()) {
      deepStrictEqual(comparable(ours[i]), comparable(row), this.#difference(when, ours[i], row));
    }
  }

  #difference(when: string, ours: unknown, theirs: unknown): string {
    return `${this.#type.name}, ${when}: ${inspect(ours, { depth: 9 })} is not ${inspect(theirs, { depth: 9 })}`;
  }

  /** In Postgres's own words. */
  async expectSameTexts(when: string): Promise<void> {
    const table = `"Row${this.#type.name}"`;
    const differing = await this.#plain.$queryRawUnsafe(
      `SELECT a.id, a.value::text AS ours, b.value::text AS theirs, to_jsonb(a) ->> 'list' AS our_list, to_jsonb(b) ->> 'list' AS their_list
       FROM ${table} AS b LEFT JOIN ${table} AS a ON a.id = replace(b.id, 'b', 'a')
       WHERE b.id LIKE 'b${this.#run}\\_%' AND (a.id IS NULL OR a.value::text IS DISTINCT FROM b.value::text
         OR to_jsonb(a) ->> 'list' IS DISTINCT FROM to_jsonb(b) ->> 'list')`,
    );
    expect(differing, `${this.#type.name}, ${when}`).toEqual([]);
  }
}

/** A row whose invalid dates are texts, for two of them are not equal to node. */
function comparable(row: Row | null | undefined): unknown {
  const fieldOf = (value: unknown): unknown =>
    value instanceof Date && Number.isNaN(value.getTime()) ? 'Invalid Date' : value;
  return (
    row &&
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        name === 'list' && Array.isArray(value) ? value.map(fieldOf) : fieldOf(value),
      ]),
    )
  );
}
