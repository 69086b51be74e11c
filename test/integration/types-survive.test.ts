import { Decimal } from '@prisma/client/runtime/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import type { Field, FieldType, Model } from '../../src/definitions/model.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

describe('a row comes back as Prisma would give it', () => {
  it('from the cache, from what is pending, and from the database', async () => {
    const app = await environment.connect(stores);
    const session = {
      id: 's1',
      token: 'token with "quotes", \\ and emoji 🌊',
      userId: 'u1',
      data: { empty: [], none: {}, deep: [{ a: null, n: 1.5e-7 }] },
      createdAt: new Date('2024-02-29T23:59:59.999Z'),
      updatedAt: new Date('2024-03-01T00:00:00.000Z'),
      expiresAt: new Date('2099-12-31T00:00:00.000Z'),
    };
    await app.stores.users.put({ id: 'u1', email: 'u1@example.invalid', name: "O'Neil" });
    await app.stores.sessions.put(session);
    expect(await app.stores.sessions.get('s1')).toEqual(session);
    await environment.startWorker(stores);
    await app.flush();
    const row = await environment.prisma.session.findUnique({ where: { id: 's1' } });
    expect(await app.stores.sessions.get('s1')).toEqual(row);
    expect(row).toEqual(session);
  });

  it('with a composite id', async () => {
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    await app.stores.projects.put({ id: 'p,1', name: 'project' });
    await app.stores.users.put({ id: 'u%2C1', email: 'u@example.invalid', name: 'user' });
    const id = { projectId: 'p,1', userId: 'u%2C1' };
    await app.stores.teamMembers.put({ ...id, role: 'LEAD' });
    await app.flush();
    const row = await environment.prisma.teamMember.findUnique({ where: { projectId_userId: id } });
    expect(row).toMatchObject({ ...id, role: 'LEAD' });
    expect(await app.stores.teamMembers.get(id)).toEqual(row);
    await app.stores.teamMembers.delete(id);
    await app.flush();
    expect(await environment.prisma.teamMember.count()).toBe(0);
  });
});

/** One column of each type, and what a value of it is in Postgres's own words. */
const columns: readonly [string, FieldType, string, unknown, string][] = [
  ['text', 'String', 'text', 'a\n"b" \\ 🌊', 'a\n"b" \\ 🌊'],
  ['flag', 'Boolean', 'boolean', true, 'true'],
  ['whole', 'Int', 'integer', -(2 ** 31), '-2147483648'],
  ['big', 'BigInt', 'bigint', 2n ** 53n + 1n, '9007199254740993'],
  ['real', 'Float', 'double precision', 0.1 + 0.2, '0.30000000000000004'],
  ['price', 'Decimal', 'numeric(20,6)', new Decimal('12345678901234.567890'), '12345678901234.567890'],
  ['at', 'DateTime', 'timestamp(3)', new Date('2024-02-29T12:00:00.123Z'), '2024-02-29 12:00:00.123'],
  ['data', 'Json', 'jsonb', { a: [], b: {} }, '{"a": [], "b": {}}'],
  ['raw', 'Bytes', 'bytea', new Uint8Array([0, 255, 16]), '\\x00ff10'],
];

describe('every scalar type of Prisma reaches its column exactly', () => {
  const fields: Record<string, Field> = { id: fieldOf('id', 'String') };
  for (const [name, type] of columns) {
    fields[name] = fieldOf(`${name}_column`, type);
    fields[`${name}s`] = { ...fieldOf(`${name}_list`, type), isList: true };
  }
  type Row = { id: string } & Record<string, unknown>;
  const model: Model<Row, Row, string> = {
    name: 'Everything',
    delegate: 'everything',
    table: 'every Thing',
    id: ['id'],
    parents: [],
    fields,
  };

  it('also as null and in lists', async () => {
    const definitions = columns.map(([name, , type]) => `${name}_column ${type}, ${name}_list ${type}[]`);
    await environment.prisma.$executeRawUnsafe(
      `CREATE TABLE "every Thing" (id text PRIMARY KEY, ${definitions.join(', ')})`,
    );
    const everything = defineStores({ everything: record({ model }) });
    const app = await environment.connect(everything);
    await environment.startWorker(everything);
    const values = columns.flatMap(([name, , , value]) => [
      [name, value],
      [`${name}s`, [value, value]],
    ]);
    const nothing = columns.flatMap(([name]) => [
      [name, null],
      [`${name}s`, []],
    ]);
    await app.stores.everything.put({ id: 'full', ...Object.fromEntries(values) });
    await app.stores.everything.put({ id: 'empty', ...Object.fromEntries(nothing) });
    expect(await app.stores.everything.get('full')).toEqual({ id: 'full', ...Object.fromEntries(values) });
    await app.flush();
    const texts = columns.map(([name]) => `${name}_column::text, ${name}_list[2]::text AS ${name}_item`);
    const rows = await environment.prisma.$queryRawUnsafe(
      `SELECT id, ${texts.join(', ')} FROM "every Thing" ORDER BY id`,
    );
    const expected = columns.flatMap(([name, , , , text]) => [
      [`${name}_column`, text],
      [`${name}_item`, text],
    ]);
    expect(rows).toEqual([
      { id: 'empty', ...Object.fromEntries(expected.map(([name]) => [name, null])) },
      { id: 'full', ...Object.fromEntries(expected) },
    ]);
  });
});

function fieldOf(column: string, type: FieldType): Field {
  return {
    column,
    type,
    isList: false,
    isNullable: true,
    default: { kind: 'null' },
    hasDatabaseDefault: false,
  };
}
