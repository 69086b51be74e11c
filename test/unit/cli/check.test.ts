/** What `forebay check` finds by facts that no test can make on a server of its own, and what it has in common. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { accessFindings } from '../../../src/cli/check/access.js';
import { clockFindings } from '../../../src/cli/check/clocks.js';
import { checkCodes } from '../../../src/cli/check/codes.js';
import { columnMismatch } from '../../../src/cli/check/column-types.js';
import type { PostgresFacts } from '../../../src/cli/check/postgres-facts.js';
import { postgresRules } from '../../../src/cli/check/postgres-rules.js';
import { allRedisRules } from '../../../src/cli/check/redis.js';
import { neededCommands } from '../../../src/cli/check/redis-rights.js';
import { findingsOf } from '../../../src/connection/finding.js';
import type { Field } from '../../../src/definitions/model.js';
import { redisSettings } from '../../../src/redis-settings.js';

describe('the codes', () => {
  const codes = checkCodes.map(({ code }) => code);

  it('are each of one rule', () => {
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('are each made wrong by a test', () => {
    const files = ['../../integration/check', 'check', '../connection/server-check'];
    const texts = files.map((file) => readFileSync(new URL(`${file}.test.ts`, import.meta.url), 'utf8'));
    expect(codes.filter((code) => !texts.some((text) => text.includes(`'${code}'`)))).toEqual([]);
  });
});

test.each([
  ['redis://127.0.0.1', []],
  ['redis://localhost', []],
  ['redis://[::1]', []],
  ['redis://cache', ['REDIS_UNENCRYPTED', 'REDIS_NO_PASSWORD']],
  ['redis://:x@cache', ['REDIS_UNENCRYPTED']],
  ['rediss://:x@cache', []],
])('of the way to %s it tells %j', (url, codes) => {
  expect(accessFindings(redisSettings(url)).map(({ code }) => code)).toEqual(codes);
});

describe('a Redis', () => {
  it('that could not rewrite its append-only file is told of', () => {
    const rule = allRedisRules.find(({ code }) => code === 'REDIS_REWRITE_FAILS');
    const info = { text: () => 'err' };
    expect(rule?.find({ info } as never)).toMatchObject({ mend: { line: 'BGREWRITEAOF' } });
  });
});

describe('a Postgres', () => {
  const good = {
    version: '18.0',
    version_number: 180_000,
    standby: false,
    encoding: 'UTF8',
    user: 'app',
    database: 'app',
    schema: true,
    usage: true,
    settings: new Map(),
    worker: { lanes: 64, connections: 4 },
    max_connections: 100,
    used: 1,
    role_limit: -1,
    database_limit: -1,
    pooler: { isUntold: false, isByStatement: false },
  } as unknown as PostgresFacts;
  const setting = (name: string, value: string, source: string) => ({
    settings: new Map([[name, { name, setting: value, source }]]),
  });

  it('as it should be has no finding', () => {
    expect(findingsOf(postgresRules, good)).toEqual([]);
  });

  test.each<[string, Partial<PostgresFacts>, string]>([
    ['POSTGRES_TOO_OLD', { version: '11.22', version_number: 112_200 }, 'postgresql'],
    ['POSTGRES_STANDBY', { standby: true }, 'DATABASE_URL='],
    [
      'POSTGRES_NO_FSYNC',
      setting('fsync', 'off', 'configuration file'),
      'ALTER SYSTEM SET fsync = on; SELECT',
    ],
    [
      'POSTGRES_NO_FSYNC',
      setting('full_page_writes', 'off', 'command line'),
      'postgres -c full_page_writes=on',
    ],
    ['POSTGRES_READ_ONLY', setting('default_transaction_read_only', 'on', 'client'), 'PGOPTIONS='],
    ['POSTGRES_CONNECTIONS', { used: 98 }, 'ALTER SYSTEM SET max_connections = 118'],
  ])('%s: %j', (code, facts, line) => {
    const [finding, ...more] = findingsOf(postgresRules, { ...good, ...facts });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ code, mend: { line: expect.stringContaining(line) } });
  });
});

describe('clocks', () => {
  const clock = (aheadMs: number, doubtMs = 1) => ({ aheadMs, doubtMs });

  test.each([
    [0, 0, []],
    [900, -900, []],
    [5_000, 0, ['CLOCK_REDIS']],
    [0, -5_000, ['CLOCK_POSTGRES']],
    [5_000, 5_200, ['CLOCK_HERE']],
    [5_000, -5_000, ['CLOCK_REDIS', 'CLOCK_POSTGRES']],
  ])('Redis %d ms and Postgres %d ms ahead: %j', (redis, postgres, codes) => {
    const found = clockFindings({ redis: clock(redis), postgres: clock(postgres) });
    expect(found.map(({ code }) => code)).toEqual(codes);
  });

  it('are not blamed for what a slow answer may be', () => {
    expect(clockFindings({ redis: clock(5_000, 4_500), postgres: undefined })).toEqual([]);
  });
});

describe('the rights that are tried', () => {
  const commandsIn = (folder: string, pattern: RegExp): string[] =>
    (readdirSync(folder, { recursive: true }) as string[])
      .filter((file) => /\.(lua|js)$/.test(file))
      .flatMap((file) => [...readFileSync(path.join(folder, file), 'utf8').matchAll(pattern)])
      .map((match) => (match[1] as string).toLowerCase());
  const tried = new Set(neededCommands.map(([name]) => name));

  test.each([
    ['src', /redis\.p?call\(\s*'([A-Z]+)'/g],
    ['node_modules/bullmq/dist/cjs/scripts', /rcall\(\s*["']([A-Z]+)["']/g],
  ])('are those of all commands in the scripts of %s', (folder, pattern) => {
    const used = new Set(commandsIn(folder, pattern));
    expect(used.size).toBeGreaterThan(20);
    expect([...used].filter((name) => !tried.has(name))).toEqual([]);
  });
});

describe('a column', () => {
  const field = (type: Field['type'], nativeType?: Field['nativeType'], isList = false): Field => ({
    column: 'c',
    type,
    isList,
    isNullable: false,
    default: { kind: 'none' },
    hasDatabaseDefault: false,
    ...(nativeType && { nativeType }),
  });
  const native = (name: string, ...args: number[]) => ({ name, args });

  test.each<[Field, string, string | undefined]>([
    [field('String'), 'text', undefined],
    [field('String'), 'character varying(20)', 'text'],
    [field('String', native('VarChar', 20)), 'character varying(20)', undefined],
    [field('String', native('VarChar', 20)), 'character varying(40)', undefined],
    [field('String', native('VarChar', 20)), 'character varying', undefined],
    [field('String', native('VarChar', 20)), 'character varying(10)', 'character varying(20)'],
    [field('String', native('Citext')), 'public.citext', undefined],
    [field('BigInt'), 'integer', 'bigint'],
    [field('DateTime'), 'timestamp(3) without time zone', undefined],
    [field('DateTime'), 'timestamp(3) with time zone', 'timestamp(3) without time zone'],
    [
      field('DateTime', native('Timestamptz', 6)),
      'timestamp(3) with time zone',
      'timestamp(6) with time zone',
    ],
    [field('Decimal', native('Decimal', 65, 30)), 'numeric(65,30)', undefined],
    [field('Int', undefined, true), 'integer[]', undefined],
    [field('Int', undefined, true), 'integer', 'integer[]'],
    [field('Enum'), 'public.user_role', undefined],
  ])('%j of type %s: %s', (one, type, wanted) => {
    expect(columnMismatch(one, type)).toBe(wanted);
  });

  it('of the type that is wanted is never told of', () => {
    const types = fc.constantFrom<Field['type']>(
      'String',
      'Int',
      'BigInt',
      'Float',
      'Decimal',
      'DateTime',
      'Json',
      'Bytes',
    );
    fc.assert(
      fc.property(types, fc.boolean(), (type, isList) => {
        const wanted = columnMismatch(field(type, undefined, isList), 'nothing');
        expect(columnMismatch(field(type, undefined, isList), wanted as string)).toBeUndefined();
      }),
    );
  });
});
