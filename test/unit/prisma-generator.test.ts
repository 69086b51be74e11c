/** forebay's Prisma generator, run by `prisma generate` on a schema that has a bit of everything. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Field, Model } from '../../src/definitions/model.js';
import { constantNames, literal } from '../../src/prisma-generator/literals.js';

const root = path.resolve(import.meta.dirname, '../..');
const provider = `node --import tsx ${path.join(root, 'src/prisma-generator/bin.ts')}`;
const typesOfForebay = path.join(root, 'src/definitions/model.ts');
const runLimitMs = 240_000;

const preamble = `
generator client {
  provider = "prisma-client"
  output = "./client"
  previewFeatures = ["views"]
}
datasource db {
  provider = "postgresql"
  schemas = ["public", "other"]
}`;

const schema = `${preamble}
generator forebay {
  provider = "${provider}"
  output = "."
}
enum Color {
  RED @map("red 'n' \\"hot\\"")
  GREEN
  @@map("color")
  @@schema("public")
}
/// Ends */ early,
/// and goes on.
model Everything {
  /// The only field with a word.
  id String @id @default(uuid())
  text String @default("a'b\\n\\\\")
  textOrNull String?
  textOrX String? @default("x")
  flag Boolean @default(true)
  int Int @default(-3) @map("an int")
  big BigInt @default(9007199254740993)
  float Float @default(1.5)
  decimal Decimal @default(12.5)
  longDecimal Decimal @default(12345678901234567890.12)
  at DateTime @default("2020-01-01T00:00:00Z")
  json Json @default("{\\"__proto__\\":[1,null]}")
  jsonNull Json @default("null")
  jsonOrNull Json?
  bytes Bytes @default("aGk=")
  color Color @default(RED)
  colors Color[] @default([RED, GREEN])
  texts String[]
  bigs BigInt[] @default([1, 2])
  jsons Json[] @default(["{}"])
  counted Int @default(autoincrement())
  madeByCuid String @default(cuid())
  madeByNanoid String @default(nanoid())
  madeByUuid7 String @default(uuid(7))
  madeByCuid2 String @default(cuid(2))
  madeByNanoid7 String @default(nanoid(7))
  madeByUlid String @default(ulid())
  computed String @default(dbgenerated("lower('X')"))
  madeByDatabase String @default(dbgenerated("gen_random_uuid()")) @db.Uuid
  createdAt DateTime @default(now())
  updatedAt DateTime @updatedAt
  touchedAt DateTime? @default(now()) @updatedAt
  unsupported Unsupported("tsvector")?
  hidden String? @ignore
  members Member[]
  note Note?
  @@map("every thing")
  @@schema("other")
}
model Member {
  everythingId String
  number BigInt @default(7)
  bossId String?
  bossNumber BigInt?
  everything Everything @relation(fields: [everythingId], references: [id])
  boss Member? @relation("boss", fields: [bossId, bossNumber], references: [everythingId, number])
  team Member[] @relation("boss")
  @@id([number, everythingId])
  @@unique([everythingId, number])
  @@schema("public")
}
model Note {
  everythingId String @id
  everything Everything @relation(fields: [everythingId], references: [id])
  @@schema("public")
}
model Model {
  id Int @id @default(autoincrement())
  @@schema("public")
}
model Date {
  id Color @id
  at DateTime @default("2020-01-01T00:00:00Z")
  @@schema("public")
}
model arguments {
  id String @id
  @@schema("public")
}
model OnlyUnique {
  email String @unique
  @@schema("public")
}
model ByTime {
  at DateTime @id
  @@schema("public")
}
model Ignored {
  id String @id
  @@ignore
  @@schema("public")
}
view Seen {
  id String
  @@schema("public")
}
`;

/** Compiles only when the emitted types say what they should. */
const usage = `
import { DbNull, JsonNull } from '@prisma/client/runtime/client';
import type { Everything as PrismaEverything, Member as PrismaMember } from './client/client.js';
import { arguments_, Date_, Everything, Member, Model } from './models.js';
import type { EverythingInput, EverythingRow, MemberId, MemberInput, MemberRow } from './models.js';

export const models = [arguments_, Date_, Everything, Member, Model];

declare const theirs: PrismaEverything;
declare const ours: EverythingRow;
export const asOurs: EverythingRow = theirs;
export const asTheirs: PrismaEverything = ours;
declare const theirMember: PrismaMember;
declare const ourMember: MemberRow;
export const asOurMember: MemberRow = theirMember;
export const asTheirMember: PrismaMember = ourMember;

/** A row that was read can be put again. */
export const again: EverythingInput = ours;

const made = { madeByCuid: '', madeByNanoid: '', madeByDatabase: '', counted: 1 };
const least = { ...made, id: '', longDecimal: '1', jsonNull: 1 };
export const shortest: EverythingInput = least;
export const withDefaultsNamed: EverythingInput = { ...least, text: undefined, big: 1, bytes: Buffer.from('') };
// @ts-expect-error ids are required, also where the database has a default
export const idless: MemberInput = { everythingId: '' };
export const unmade: EverythingInput = { longDecimal: '1', jsonNull: JsonNull, jsonOrNull: DbNull };
// @ts-expect-error a required field can't be NULL
export const noNull: EverythingInput = { ...least, json: DbNull };
// @ts-expect-error the name in Postgres is no name of the enum
export const wrongColor: EverythingInput = { ...least, color: "red 'n' \\"hot\\"" };
export const id: MemberId = { number: 1n, everythingId: '' };
`;

let folder: string;

beforeAll(() => {
  folder = newFolder();
  generate(folder, schema);
}, runLimitMs);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** With the project's packages, so that what is generated there can be imported and compiled. */
function newFolder(): string {
  const created = mkdtempSync(path.join(tmpdir(), 'forebay-generator-'));
  symlinkSync(path.join(root, 'node_modules'), path.join(created, 'node_modules'));
  writeFileSync(path.join(created, 'package.json'), '{ "type": "module" }');
  return created;
}

/** @returns what `prisma generate` said on standard error */
function generate(cwd: string, text: string, expectedStatus = 0): string {
  writeFileSync(path.join(cwd, 'schema.prisma'), text);
  const env = {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  };
  const args = [
    path.join(root, 'node_modules/prisma/build/index.js'),
    'generate',
    '--schema',
    'schema.prisma',
  ];
  const run = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8', timeout: runLimitMs });
  if (run.status !== expectedStatus)
    throw new Error(`prisma generate ended with ${run.status}:\n${run.stderr}`);
  return run.stderr;
}

async function emitted(): Promise<Record<string, Model>> {
  return (await import(pathToFileURL(path.join(folder, 'models.ts')).href)) as Record<string, Model>;
}

function emittedText(): string {
  return readFileSync(path.join(folder, 'models.ts'), 'utf8');
}

describe('the emitted module', () => {
  it(
    'compiles under strict options, with rows that are Prisma’s own and inputs that leave defaults out',
    () => {
      writeFileSync(path.join(folder, 'usage.ts'), usage);
      const { compilerOptions } = JSON.parse(readFileSync(path.join(root, 'tsconfig.json'), 'utf8'));
      const options = { ...compilerOptions, rootDir: '/', paths: { forebay: [typesOfForebay] } };
      const config = JSON.stringify({ compilerOptions: options, files: ['usage.ts'] });
      writeFileSync(path.join(folder, 'tsconfig.json'), config);
      const tsc = path.join(root, 'node_modules/.bin/tsc');
      const run = spawnSync(tsc, ['-p', folder], { encoding: 'utf8', timeout: runLimitMs });
      expect(run.stdout + run.stderr).toBe('');
    },
    runLimitMs,
  );

  it('says that it is generated and must not be edited', () => {
    expect(emittedText().split('\n')[0]).toMatch(/Written by forebay's Prisma generator; do not edit/);
  });

  it('holds the models that forebay can write and names the others with the reason', async () => {
    expect(Object.keys(await emitted()).sort()).toEqual([
      'Date_',
      'Everything',
      'Member',
      'Model',
      'Note',
      'arguments_',
    ]);
    expect(emittedText()).toContain('// OnlyUnique is left out: it has no @id or @@id.');
    expect(emittedText()).toContain(
      '// ByTime is left out: at, in its id, is no String, Int, BigInt or enum.',
    );
    expect(emittedText()).toContain('// Seen is left out: it has no @id or @@id.');
    expect(emittedText()).not.toContain('Ignored');
  });

  it('carries doc comments over, and none of them ends early', () => {
    expect(emittedText()).toContain(
      '/**\n * Ends *\\/ early,\n * and goes on.\n */\nexport const Everything:',
    );
    expect(emittedText()).toContain('  /** The only field with a word. */\n  id: string;');
  });
});

describe('a model', () => {
  it('has its table, schema and delegate, and no schema where the datasource has none', async () => {
    const { Everything, Member } = await emitted();
    expect(Everything).toMatchObject({
      name: 'Everything',
      delegate: 'everything',
      schema: 'other',
      table: 'every thing',
      id: ['id'],
    });
    expect(Member).toMatchObject({ table: 'Member', schema: 'public' });
    expect(readFileSync(path.join(root, 'prisma/schema.prisma'), 'utf8')).not.toContain('schemas');
  });

  it('has a composite id in the order of @@id, and its parents without itself', async () => {
    const { Member } = await emitted();
    expect(Member).toMatchObject({ id: ['number', 'everythingId'], parents: ['Everything'] });
    expect(emittedText()).toContain('export type MemberId = { number: bigint; everythingId: string };');
  });

  it('says of which other rows there is at most one of it', async () => {
    const { Member, Note } = await emitted();
    expect(Note).toMatchObject({ parents: ['Everything'], onlyOneOf: ['Everything'] });
    expect(Member).not.toHaveProperty('onlyOneOf');
  });

  it('tells where its type stands that the database’s sequence makes no id for a put', () => {
    expect(emittedText()).toMatch(
      /interface ModelInput \{\n {2}\/\*\* The database's sequence .*\*\/\n {2}id: number;/,
    );
  });

  it('has all its columns, and neither relations nor what Prisma can’t read', async () => {
    const names = Object.keys((await emitted()).Everything?.fields ?? {});
    expect(names).toHaveLength(32);
    expect(names).not.toEqual(expect.arrayContaining(['unsupported']));
    expect(names).not.toEqual(expect.arrayContaining(['hidden']));
    expect(names).not.toEqual(expect.arrayContaining(['members']));
  });
});

describe('a field', () => {
  async function field(name: string): Promise<Field | undefined> {
    return (await emitted()).Everything?.fields[name];
  }
  const value = (given: unknown) => ({ kind: 'value', value: given });

  it.each([
    ['text', 'String', value("a'b\n\\"), true],
    ['textOrNull', 'String', { kind: 'null' }, false],
    ['textOrX', 'String', value('x'), true],
    ['flag', 'Boolean', value(true), true],
    ['int', 'Int', value(-3), true],
    ['big', 'BigInt', value(9_007_199_254_740_993n), true],
    ['float', 'Float', value(1.5), true],
    ['decimal', 'Decimal', value('12.5'), true],
    ['at', 'DateTime', value(new Date('2020-01-01T00:00:00Z')), true],
    ['json', 'Json', value(JSON.parse('{"__proto__":[1,null]}')), true],
    ['jsonOrNull', 'Json', { kind: 'null' }, false],
    ['bytes', 'Bytes', value(new Uint8Array([104, 105])), true],
    ['color', 'Enum', value('RED'), true],
    ['colors', 'Enum', value(['RED', 'GREEN']), true],
    ['texts', 'String', value([]), false],
    ['bigs', 'BigInt', value([1n, 2n]), true],
    ['jsons', 'Json', value([{}]), true],
    ['createdAt', 'DateTime', { kind: 'now' }, true],
    ['updatedAt', 'DateTime', { kind: 'now' }, false],
    ['touchedAt', 'DateTime', { kind: 'now' }, true],
  ])('%s of type %s has the default that a put fills in', async (name, type, expected, inDatabase) => {
    expect(await field(name)).toMatchObject({ type, default: expected, hasDatabaseDefault: inDatabase });
  });

  it.each([
    ['longDecimal', true, 'has more digits than Prisma hands on'],
    ['jsonNull', true, 'defaults to the JSON null, which a put can’t tell from a missing value'],
  ])('%s has no default to fill in (database default: %s), because it %s', async (name, inDatabase) => {
    expect(await field(name)).toMatchObject({ default: { kind: 'none' }, hasDatabaseDefault: inDatabase });
  });

  it.each([
    ['id', false, { kind: 'made', by: 'uuid4' }],
    ['madeByUuid7', false, { kind: 'made', by: 'uuid7' }],
    ['madeByCuid', false, { kind: 'made', by: 'cuid' }],
    ['madeByCuid2', false, { kind: 'made', by: 'cuid2' }],
    ['madeByNanoid', false, { kind: 'made', by: 'nanoid' }],
    ['madeByNanoid7', false, { kind: 'made', by: 'nanoid', length: 7 }],
    ['madeByUlid', false, { kind: 'made', by: 'ulid' }],
    ['madeByDatabase', true, { kind: 'made', by: 'uuid4' }],
    ['counted', true, { kind: 'database' }],
    ['computed', true, { kind: 'database' }],
  ])('%s (database default: %s) may be left out, for it is made', async (name, inDatabase, made) => {
    expect((await field(name))?.default).toEqual(made);
    expect(await field(name)).toMatchObject({ hasDatabaseDefault: inDatabase });
  });

  it('has its column’s type where the schema or Prisma names one, and whether it moves with each update', async () => {
    expect(await field('madeByDatabase')).toMatchObject({ nativeType: { name: 'Uuid', args: [] } });
    expect(await field('decimal')).toMatchObject({ nativeType: { name: 'Decimal', args: [65, 30] } });
    expect(await field('text')).not.toHaveProperty('nativeType');
    expect(await field('updatedAt')).toMatchObject({ isUpdatedAt: true });
    expect(await field('touchedAt')).toMatchObject({ isUpdatedAt: true });
    expect(await field('createdAt')).not.toHaveProperty('isUpdatedAt');
  });

  it('of an id that a sequence makes is required, and says so', async () => {
    expect((await emitted()).Model?.fields.id?.default).toEqual({ kind: 'none', isSequence: true });
  });

  it('has its column name, whether it is a list or nullable, and its enum’s values in Postgres', async () => {
    expect(await field('int')).toMatchObject({ column: 'an int', isList: false, isNullable: false });
    expect(await field('textOrNull')).toMatchObject({ column: 'textOrNull', isNullable: true });
    expect(await field('texts')).toMatchObject({ isList: true, isNullable: false });
    expect(await field('colors')).toMatchObject({ enumValues: { RED: `red 'n' "hot"`, GREEN: 'GREEN' } });
    expect(await field('text')).not.toHaveProperty('enumValues');
  });

  it('of an id has no default to fill in, also in a composite id', async () => {
    const { Member } = await emitted();
    expect(Member?.fields.number).toMatchObject({ default: { kind: 'none' }, hasDatabaseDefault: true });
  });
});

describe('a wrong generator block is refused with what to do', () => {
  it.each([
    ['without output', '', 'postgresql', 'You need to define `output` in the generator block'],
    [
      'with an unknown option',
      'output = "."\n runtme = "x"',
      'postgresql',
      'Generator forebay in .*schema.prisma has an unknown option "runtme"',
    ],
    ['for another database', 'output = "."', 'mysql', 'writes to Postgres only, and datasource db is mysql'],
  ])(
    '%s',
    (_, options, database, message) => {
      const own = newFolder();
      try {
        const text = `generator forebay {\n provider = "${provider}"\n ${options}\n}
        datasource db {\n provider = "${database}"\n}
        model A {\n id Int @id\n}`;
        expect(generate(own, text, 1)).toMatch(new RegExp(message));
      } finally {
        rmSync(own, { recursive: true, force: true });
      }
    },
    runLimitMs,
  );
});

describe('names and literals', () => {
  it('gives a constant another name where a module can’t declare it or it is taken', () => {
    const names = constantNames(['Task', 'eval', 'eval_', 'yield']);
    expect([...names.values()]).toEqual(['Task', 'eval__', 'eval_', 'yield_']);
  });

  it('writes a key __proto__ as a property', () => {
    expect(literal(JSON.parse('{"__proto__":1,"a b":[true,null]}'))).toBe(
      '{ ["__proto__"]: 1, "a b": [true, null] }',
    );
  });
});
