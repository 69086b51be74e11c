/** Models that a stranger's schema may have: odd names, odd ids, one column, many columns, trees; with rows to write into them. */
import { DbNull, Decimal, JsonNull } from '@prisma/client/runtime/client';

type Row = Readonly<Record<string, unknown>>;

export interface OddModel {
  readonly name: string;
  /** Fields of the id. */
  readonly id: readonly string[];
  /** As the table is called in SQL. */
  readonly table: string;
  readonly sql: string;
  /** Whole rows, by their ids. */
  readonly rows: readonly Row[];
  /** Fields of these rows to change; none: there is nothing but the id. */
  readonly changes: readonly Row[];
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (name: string): string => JSON.stringify(name);

/** Field, type in Prisma and in Postgres, and the column's name. */
const oddColumns: readonly (readonly [field: string, type: string, sql: string, column: string])[] = [
  ['from', 'String?', 'text', 'from  table'],
  ['select', 'Int?', 'int', 'dot.ted'],
  ['order', 'String[]', 'text[]', 'UPPER Case'],
  ['settings', 'Json?', 'jsonb', 'settings'],
  ['f', 'String?', 'text', 'ünï·code 🌊'],
  ['r', 'String?', 'text', "a,b;c'd"],
  ['t', 'Int?', 'int', '{{table}}'],
  ['w', 'Int?', 'int', '$1'],
  ['key', 'String?', 'text', '_key'],
  ['json', 'Json?', 'jsonb', 'select'],
  ['version', 'BigInt?', 'bigint', 'back\\slash'],
  ['excluded', 'Bytes?', 'bytea', 'excluded'],
  ['e', 'Kind?', 'KIND', 'e'],
  ['table', 'Decimal? @db.Decimal(9, 2)', 'decimal(9,2)', 'session'],
  ['values', 'DateTime? @db.Date', 'date', 'VALUES'],
  ['toString', 'String?', 'text', 'toString'],
  ['valueOf', 'Int?', 'int', 'valueOf'],
  ['x1_', 'String? @unique', 'text UNIQUE', '_delta'],
];

const oddRow = (id: string, n: number): Row => ({
  id,
  from: `from ${n}`,
  select: n,
  order: ['"', '\\', `{${n}}`, ''],
  settings: { settings: [n, { f: null, '"made":': '}' }] },
  f: 'f',
  r: "'; --",
  t: n,
  w: n,
  key: '_key',
  json: n % 2 ? JsonNull : [n, '\n'],
  version: 2n ** 60n + BigInt(n),
  excluded: new Uint8Array([n, 0, 255]),
  e: n % 2 ? 'A' : 'b',
  table: new Decimal('1.25').add(n),
  values: new Date(Date.UTC(2024, 1, n)),
  toString: 's',
  valueOf: n,
  x1_: `unique ${n}`,
});

const wide = Array.from({ length: 200 }, (_, i) => i);
const wideTypes = [
  ['String?', 'text', (n: number) => `text ${n}`],
  ['Int?', 'int', (n: number) => n],
  ['Json?', 'jsonb', (n: number) => ({ n })],
  ['DateTime?', 'timestamp(3)', (n: number) => new Date(n)],
] as const;
const wideType = (i: number) => wideTypes[i % wideTypes.length] as (typeof wideTypes)[number];
const wideRow = (id: string, n: number): Row => ({
  id,
  ...Object.fromEntries(wide.map((i) => [`c${i}`, wideType(i)[2](n + i)])),
});

/** @param one, other names of schemas */
export function oddModels(one: string, other: string): readonly OddModel[] {
  const table = (schema: string, name: string): string => `${quote(schema)}.${quote(name)}`;
  const kind = table(one, "Kind of 'it'");
  const odd = table(one, 'select * from x.y; --');
  const pair = table(other, 'Pair');
  const tree = table(other, 'Tree');
  return [
    {
      name: 'Odd',
      id: ['id'],
      table: odd,
      sql: `CREATE TABLE ${odd} ("where" text PRIMARY KEY, ${oddColumns
        .map(([, , sql, column]) => `${quote(column)} ${sql.replace('KIND', kind)}`)
        .join(', ')})`,
      rows: [
        oddRow('a', 1),
        oddRow('b', 2),
        { id: 'c' },
        { ...oddRow('"d\' 🌊', 3), json: DbNull, order: [] },
      ],
      changes: [
        { id: 'a', f: null, settings: JsonNull, order: [], e: 'b', x1_: 'other' },
        { id: 'b', from: 'x', version: 1n },
        { id: 'c', ...oddRow('c', 4) },
        { id: '"d\' 🌊', table: '0.005', excluded: new Uint8Array() },
      ],
    },
    {
      name: 'Pair',
      id: ['a', 'b', 'c', 'd'],
      table: pair,
      sql: `CREATE TABLE ${pair} ("A" ${kind}, b bigint, c char(4), "D d" int, note text, at timestamptz(6), PRIMARY KEY ("A", b, c, "D d"), UNIQUE (note, "D d"))`,
      rows: [
        { a: 'A', b: 2n ** 62n, c: 'x,', d: -1, note: 'n' },
        { a: 'b', b: -1n, c: '%2C', d: 0, note: 'n', at: new Date(5) },
        { a: 'A', b: 0n, c: 'y', d: 2 },
      ],
      changes: [
        { a: 'A', b: 2n ** 62n, c: 'x,', d: -1, note: null, at: new Date(7) },
        { a: 'A', b: 0n, c: 'y   ', d: 2, note: 'm' },
      ],
    },
    {
      name: 'Only',
      id: ['id'],
      table: table(one, 'Only'),
      sql: `CREATE TABLE ${table(one, 'Only')} (id int PRIMARY KEY)`,
      rows: [{ id: 1 }, { id: -5 }],
      changes: [],
    },
    {
      name: 'OnlyPair',
      id: ['a', 'b'],
      table: table(other, 'OnlyPair'),
      sql: `CREATE TABLE ${table(other, 'OnlyPair')} (a text, b smallint, PRIMARY KEY (b, a))`,
      rows: [
        { a: 'x', b: 1 },
        { a: ',', b: 1 },
      ],
      changes: [],
    },
    {
      name: 'Tree',
      id: ['id'],
      table: tree,
      sql: `CREATE TABLE ${tree} (id int PRIMARY KEY, "parent id" int REFERENCES ${tree}, code text NOT NULL UNIQUE, label text NOT NULL DEFAULT 'none')`,
      rows: [
        { id: 1, code: 'a' },
        { id: 2, parentId: 1, code: 'b' },
        { id: 3, parentId: 3, code: 'c', label: 'own' },
        { id: 4, code: 'd' },
        { id: 5, parentId: 4, code: 'e' },
      ],
      changes: [
        { id: 2, parentId: 3, label: 'moved' },
        { id: 5, parentId: null },
      ],
    },
    {
      name: 'Wide',
      id: ['id'],
      table: table(one, 'Wide'),
      sql: `CREATE TABLE ${table(one, 'Wide')} (id text PRIMARY KEY, ${wide.map((i) => `c${i} ${wideType(i)[1]}`).join(', ')})`,
      rows: [wideRow('a', 1), wideRow('b', 2), { id: 'c' }],
      changes: [
        { id: 'a', c7: null, c8: 'x' },
        { ...wideRow('b', 9), id: 'c' },
      ],
    },
  ];
}

export function oddTables(one: string, other: string): string[] {
  return [
    `CREATE SCHEMA ${quote(one)}`,
    `CREATE SCHEMA ${quote(other)}`,
    `CREATE TYPE ${quote(one)}.${quote("Kind of 'it'")} AS ENUM ('the "first"', 'b')`,
    ...oddModels(one, other).map(({ sql }) => sql),
  ];
}

export function oddSchema(one: string, other: string, generator: string): string {
  const [first, second] = [one, other].map((name) => `@@schema(${literal(name)})`);
  return `generator client {
  provider = "prisma-client"
  output = "./client"
  moduleFormat = "esm"
}
generator forebay {
  provider = "${generator}"
  output = "."
}
datasource db {
  provider = "postgresql"
  schemas = [${literal(one)}, ${literal(other)}]
}
enum Kind {
  A @map("the \\"first\\"")
  b
  @@map("Kind of 'it'")
  ${first}
}
model Odd {
  id String @id @map("where")
${oddColumns.map(([field, type, , column]) => `  ${field} ${type} ${column === field ? '' : `@map(${literal(column)})`}`).join('\n')}
  @@map("select * from x.y; --")
  ${first}
}
model Pair {
  a Kind @map("A")
  b BigInt
  c String @db.Char(4)
  d Int @map("D d")
  note String?
  at DateTime? @db.Timestamptz(6)
  @@id([a, b, c, d], name: "quad")
  @@unique([note, d])
  ${second}
}
model Only {
  id Int @id
  ${first}
}
model OnlyPair {
  a String
  b Int @db.SmallInt
  @@id([a, b])
  ${second}
}
model Tree {
  id Int @id
  parentId Int? @map("parent id")
  parent Tree? @relation("tree", fields: [parentId], references: [id])
  children Tree[] @relation("tree")
  code String @unique
  label String @default("none")
  ${second}
}
model Wide {
  id String @id
${wide.map((i) => `  c${i} ${wideType(i)[0]}`).join('\n')}
  ${first}
}
`;
}
