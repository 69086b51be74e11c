/** Every type of column that Prisma has for Postgres, with values: what the matrix of rows.test.ts and its schema are made from. */
import { Decimal } from '@prisma/client/runtime/client';
import fc from 'fast-check';

export interface ColumnType {
  /** The name of its models. */
  readonly name: string;
  /** As a field of it is declared in Prisma's schema. */
  readonly prisma: readonly [type: string, attributes?: string];
  readonly sql: string;
  /** Values as an app gives them. */
  readonly values: readonly unknown[];
  /** More of them. */
  readonly any?: fc.Arbitrary<unknown>;
  /** What the column can't hold. */
  readonly refused: readonly unknown[];
  /** SQL literals of what only other programs write. */
  readonly foreign?: readonly string[];
  /** Ids in pairs that the column holds for equal. */
  readonly ids?: readonly (readonly [unknown, unknown])[];
  readonly refusedIds?: readonly unknown[];
  readonly isCounter?: true;
  /** Without lists: Postgres or Prisma has none. */
  readonly hasNoList?: true;
}

const textOf = (maxLength: number) =>
  fc.string({ unit: 'binary', maxLength }).filter((text) => !text.includes('\0'));
const decimalOf = (digits: number, scaleMax: number) =>
  fc
    .tuple(
      fc.bigInt({ min: -(10n ** BigInt(digits - 1)), max: 10n ** BigInt(digits - 1) }),
      fc.nat({ max: scaleMax }),
    )
    .map(([number, scale]) => new Decimal(number.toString()).div(new Decimal(10).pow(scale)))
    .filter((decimal) => decimal.abs().lt(new Decimal(10).pow(digits - scaleMax)));
const dates = fc.date({
  min: new Date('0001-01-02T00:00:00Z'),
  max: new Date('9999-12-30T00:00:00Z'),
  noInvalidDate: true,
});
const json = fc
  .jsonValue({ maxDepth: 3 })
  // Of other numbers Prisma rounds the last digit away.
  .map((value) =>
    JSON.stringify(value, (_, item: unknown) => (typeof item === 'number' ? Math.trunc(item) % 1e9 : item)),
  )
  .filter((text) => !/\\u|__proto__/.test(text))
  .map((text) => JSON.parse(text) as unknown);
const longText = 'x'.repeat(300);

export const columnTypes: readonly ColumnType[] = [
  {
    name: 'Text',
    prisma: ['String'],
    sql: 'text',
    values: ['', ' a\n"b" \\ ', "O'Neil 🌊 é", longText],
    any: textOf(40),
    refused: ['a\0b', 'a\ud800', 5],
    ids: [['a ,%b', 'a ,%b']],
    refusedIds: ['', 'a\0'],
  },
  {
    name: 'VarChar',
    prisma: ['String', '@db.VarChar(5)'],
    sql: 'varchar(5)',
    values: ['', 'abc  ', 'abcde   ', '🌊🌊🌊🌊🌊', ' a'],
    any: textOf(5),
    refused: ['abcdef', 'abcde f', '🌊🌊🌊🌊🌊🌊'],
    ids: [['abcde', 'abcde']],
    refusedIds: ['abcdef'],
  },
  {
    name: 'Char',
    prisma: ['String', '@db.Char(8)'],
    sql: 'char(8)',
    values: ['', 'abc', 'abc  ', 'abcdefgh', 'abcdefgh   ', '🌊', ' a'],
    any: textOf(8),
    refused: ['abcdefghi', 'abcdefgh i'],
    ids: [['abc', 'abc     ']],
    refusedIds: ['abcdefghi', '   '],
  },
  {
    name: 'Uuid',
    prisma: ['String', '@db.Uuid'],
    sql: 'uuid',
    values: [
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
      '{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}',
      'a0eebc999c0b4ef8bb6d6bb9bd380a11',
    ],
    any: fc.uuid().map((id) => (id.charCodeAt(9) % 2 ? id.toUpperCase() : id)),
    refused: ['', 'a0eebc99', 'g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{a0eebc999c0b4ef8bb6d6bb9bd380a11'],
    ids: [['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11']],
    refusedIds: ['a0eebc99'],
  },
  {
    name: 'Bit',
    prisma: ['String', '@db.Bit(4)'],
    sql: 'bit(4)',
    values: ['0101', '1111'],
    any: fc.string({ unit: fc.constantFrom('0', '1'), minLength: 4, maxLength: 4 }),
    refused: ['01', '01011', '0123', ''],
    ids: [['0101', '0101']],
    refusedIds: ['01'],
  },
  {
    name: 'VarBit',
    prisma: ['String', '@db.VarBit(4)'],
    sql: 'varbit(4)',
    values: ['', '01', '1111'],
    any: fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 4 }),
    refused: ['01011', '2'],
  },
  {
    name: 'Inet',
    prisma: ['String', '@db.Inet'],
    sql: 'inet',
    values: [
      '192.168.0.1',
      '192.168.0.1/32',
      '10.1.2.3/8',
      '::1',
      '2001:DB8:0:0:0:0:0:1',
      '2001:db8::/32',
      '::ffff:1.2.3.4',
      'fe80:0:0:1:0:0:0:1/128',
    ],
    any: fc.oneof(fc.ipV4(), fc.ipV6()),
    refused: ['', '10.0.0', '10.0.0.256', '10.0.0.1/33', 'fe80::1%eth0', 'host'],
    ids: [['10.0.0.1', '10.0.0.1/32']],
    refusedIds: ['10.0.0.256'],
  },
  {
    name: 'Xml',
    prisma: ['String', '@db.Xml'],
    sql: 'xml',
    values: ['<a b="1">x &amp; y<c/></a>', 'text only', '<a/><b>1</b>', '<!-- c --><a><![CDATA[ < & ]]></a>'],
    refused: ['<a>', '<a></b>', 'a & b', 'a < b', '<a b=1/>', '<a b="1" b="2"/>'],
  },
  {
    name: 'Boolean',
    prisma: ['Boolean'],
    sql: 'boolean',
    values: [true, false],
    any: fc.boolean(),
    refused: ['true', 1],
  },
  {
    name: 'Int',
    prisma: ['Int'],
    sql: 'integer',
    values: [0, -(2 ** 31), 2 ** 31 - 1],
    any: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    refused: [2 ** 31, 1.5, '1', 1n, Number.NaN],
    ids: [[5, 5]],
    refusedIds: [2 ** 31],
    isCounter: true,
  },
  {
    name: 'SmallInt',
    prisma: ['Int', '@db.SmallInt'],
    sql: 'smallint',
    values: [0, -(2 ** 15), 2 ** 15 - 1],
    any: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
    refused: [40_000, -40_000],
    ids: [[-5, -5]],
    refusedIds: [40_000],
    isCounter: true,
  },
  {
    name: 'Oid',
    prisma: ['Int', '@db.Oid'],
    sql: 'oid',
    values: [0, 2 ** 31 - 1],
    any: fc.nat({ max: 2 ** 31 - 1 }),
    refused: [-1, 2 ** 32],
    ids: [[7, 7]],
    refusedIds: [-1],
  },
  {
    name: 'BigInt',
    prisma: ['BigInt'],
    sql: 'bigint',
    values: [0n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n],
    any: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    refused: [2n ** 63n, 2 ** 53, 1.5],
    ids: [[2n ** 53n, 2n ** 53n]],
    refusedIds: [2n ** 63n],
    isCounter: true,
  },
  {
    name: 'Double',
    prisma: ['Float'],
    sql: 'double precision',
    // Prisma writes the items of lists with 15 digits.
    values: [0, -0, 0.1, -1.5e300, 1e-300],
    any: fc
      .double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 })
      .map((value) => Number(value.toPrecision(15))),
    refused: ['1', 1n],
    foreign: [
      "'NaN'",
      "'Infinity'",
      "'-Infinity'",
      "'-0'",
      "'0.30000000000000004'",
      "'1.7976931348623157e308'",
      "'5e-324'",
    ],
  },
  {
    name: 'Real',
    prisma: ['Float', '@db.Real'],
    sql: 'real',
    values: [0, -0, 0.1, 1 / 3, 16_777_217, 3.4e38, 1e-40],
    any: fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e37), max: Math.fround(1e37) }),
      // Half-way between the shortest texts that are read as them, and between numbers that 32 bits hold.
      fc.integer({ min: -(2 ** 25), max: 2 ** 25 }).map((number) => number / 4),
      fc
        .tuple(fc.integer({ min: 1, max: 2 ** 24 - 1 }), fc.integer({ min: -60, max: 60 }))
        .map(([n, e]) => n * 2 ** e),
    ),
    refused: [3.5e38, 1e-60, '1'],
    foreign: ["'NaN'", "'-Infinity'"],
  },
  {
    name: 'Decimal',
    prisma: ['Decimal'],
    sql: 'decimal(65,30)',
    values: [new Decimal('12345678901234567890.123456789012345678901234567890'), '-0.1', 5, '1e-30', '4e-31'],
    any: decimalOf(60, 30),
    refused: ['1e35', 'x', '', 'Infinity', 5n],
    foreign: ["'NaN'"],
  },
  {
    name: 'Numeric',
    prisma: ['Decimal', '@db.Decimal(10, 2)'],
    sql: 'decimal(10,2)',
    values: ['1.005', '-1.005', '1.004', 1.5, '99999999.994', '1e2'],
    any: decimalOf(9, 4),
    refused: ['99999999.995', '1e8'],
    foreign: ["'NaN'"],
  },
  {
    name: 'Money',
    prisma: ['Decimal', '@db.Money'],
    sql: 'money',
    values: ['12.34', '0.005', 7],
    any: decimalOf(16, 4),
    refused: ['1e17', 'NaN'],
    foreign: ["'1234567.89'"],
    hasNoList: true,
  },
  {
    name: 'Timestamp',
    prisma: ['DateTime'],
    sql: 'timestamp(3)',
    values: [
      new Date('2024-02-29T12:00:00.123Z'),
      new Date('1969-12-31T23:59:59.999Z'),
      new Date('0099-01-01T00:00:00Z'),
    ],
    any: dates,
    refused: [new Date(Number.NaN), new Date('0000-06-01T00:00:00Z'), '2024-01-01'],
    foreign: ["'infinity'", "'12024-01-01 10:00:00'", "'0044-03-15 10:00:00 BC'", "'0099-03-15 10:00:00'"],
  },
  {
    name: 'Timestamp0',
    prisma: ['DateTime', '@db.Timestamp(0)'],
    sql: 'timestamp(0)',
    values: [
      new Date('2024-02-29T12:00:00.499Z'),
      new Date('2024-02-29T12:00:00.500Z'),
      new Date('1999-12-31T23:59:58.500Z'),
      new Date('1969-12-31T23:59:59.500Z'),
    ],
    any: dates,
    refused: [new Date('9999-12-31T23:59:59.999Z')],
  },
  {
    name: 'Timestamp6',
    prisma: ['DateTime', '@db.Timestamp(6)'],
    sql: 'timestamp(6)',
    values: [new Date('2024-02-29T12:00:00.123Z')],
    any: dates,
    refused: [],
    foreign: ["'2024-02-29 12:00:00.123456'", "'1969-12-31 23:59:59.999999'"],
  },
  {
    name: 'Timestamptz',
    prisma: ['DateTime', '@db.Timestamptz(6)'],
    sql: 'timestamptz(6)',
    values: [new Date('2024-02-29T12:00:00.123Z'), new Date('2024-07-01T00:30:00Z')],
    any: dates,
    refused: ['2024-01-01'],
    foreign: ["'2024-02-29 12:00:00.123456+00'", "'2024-03-31 01:30:00+00'", "'-infinity'"],
  },
  {
    name: 'Timestamptz2',
    prisma: ['DateTime', '@db.Timestamptz(2)'],
    sql: 'timestamptz(2)',
    values: [new Date('2024-02-29T12:00:00.125Z'), new Date('1999-01-01T00:00:00.005Z')],
    any: dates,
    refused: [],
  },
  {
    name: 'Date',
    prisma: ['DateTime', '@db.Date'],
    sql: 'date',
    values: [
      new Date('2024-02-29T23:59:59.999Z'),
      new Date('2024-02-29T00:00:00Z'),
      new Date('0099-01-01T00:00:00Z'),
    ],
    any: dates,
    refused: [new Date(Number.NaN)],
    foreign: ["'infinity'"],
  },
  {
    name: 'Time',
    prisma: ['DateTime', '@db.Time(3)'],
    sql: 'time(3)',
    values: [
      new Date('1970-01-01T10:20:30.123Z'),
      new Date('2024-05-05T23:59:59Z'),
      new Date('1960-01-01T00:00:00.500Z'),
    ],
    any: dates,
    refused: [new Date(Number.NaN)],
    foreign: ["'10:00:00.123'", "'24:00:00'"],
  },
  {
    name: 'Timetz',
    prisma: ['DateTime', '@db.Timetz(6)'],
    sql: 'timetz(6)',
    values: [new Date('1970-01-01T10:20:30.123Z')],
    any: dates,
    refused: [],
    foreign: ["'10:00:00.123456+00'", "'10:00:00+02'", "'10:00:00-05:30'"],
    hasNoList: true,
  },
  {
    name: 'JsonB',
    prisma: ['Json'],
    sql: 'jsonb',
    values: [{ a: [], b: {}, c: [null, 1.5e-7, 'x"y'] }, [], 'text', 5, false, 1e21, '{"not":"an object"}'],
    any: json.filter((value) => value !== null),
    refused: [new Date(), { a: 1n }, { a: '\0' }, Number.NaN],
    foreign: ["'12345678901234567890'", "'null'", `'{"n": 12345678901234567890, "m": 1e-400}'`, "'[1.0]'"],
  },
  {
    name: 'Json',
    prisma: ['Json', '@db.Json'],
    sql: 'json',
    values: [{ b: 1, a: { z: '🌊' } }, 'text', 0, true],
    any: json.filter((value) => value !== null),
    refused: [() => 1],
    foreign: [`'{ "a" :  1.00, "a": 2 }'`, '\'  "x" \'', "'null'"],
  },
  {
    name: 'Bytes',
    prisma: ['Bytes'],
    sql: 'bytea',
    values: [new Uint8Array([]), new Uint8Array([0, 255, 92, 39])],
    any: fc.uint8Array({ maxLength: 20 }).map((bytes) => new Uint8Array(bytes)),
    refused: ['x', [1]],
  },
  {
    name: 'Enum',
    prisma: ['Color'],
    sql: '"color"',
    values: ['RED', 'GREEN'],
    any: fc.constantFrom('RED', 'GREEN'),
    refused: ['BLUE', 'red hot'],
    ids: [['RED', 'RED']],
    refusedIds: [''],
  },
];

/** A model with a column of the type, a required one where that differs, and a list; and one whose id it is. */
export function schemaOf(types: readonly ColumnType[], generator: string): string {
  const models = types.map(({ name, prisma: [type, attributes = ''], hasNoList, ids, isCounter }) => {
    const list = hasNoList ? '' : `list ${type}[] ${attributes}`;
    const idModel = ids ? `model Id${name} {\n id ${type} @id ${attributes}\n note String?\n}\n` : '';
    return `model Row${name} {
 id String @id
 value ${type}? ${attributes}
 ${list}
 note String?
}
${idModel}${isCounter ? `model Count${name} {\n id String @id\n count ${type} @default(0) ${attributes}\n}\n` : ''}`;
  });
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
}
enum Color {
  RED @map("red hot")
  GREEN
  @@map("color")
}
${models.join('')}`;
}

export function tablesOf(types: readonly ColumnType[]): string[] {
  return [
    `CREATE TYPE "color" AS ENUM ('red hot', 'GREEN')`,
    ...types.flatMap(({ name, sql, hasNoList, ids, isCounter }) => [
      `CREATE TABLE "Row${name}" (id text PRIMARY KEY, value ${sql}, ${hasNoList ? '' : `list ${sql}[],`} note text)`,
      ...(ids ? [`CREATE TABLE "Id${name}" (id ${sql} PRIMARY KEY, note text)`] : []),
      ...(isCounter
        ? [`CREATE TABLE "Count${name}" (id text PRIMARY KEY, count ${sql} NOT NULL DEFAULT 0)`]
        : []),
    ]),
  ];
}
