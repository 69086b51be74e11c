/** The public face: docs/api against the source. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyseEntryPoints, type EntryPoint, entryPoints, reportFolder } from '../../dev/api/report.js';
import { readPage } from '../../dev/docs/pages.js';
import { referencePages } from '../../dev/docs/reference.js';
import * as fastify from '../../src/fastify.js';
import * as health from '../../src/health.js';
import * as hono from '../../src/hono.js';
import * as forebay from '../../src/index.js';
import * as keyv from '../../src/keyv.js';
import * as metrics from '../../src/metrics.js';
import * as nest from '../../src/nest.js';
import * as next from '../../src/next.js';
import * as patterns from '../../src/patterns.js';
import * as prismaExtension from '../../src/prisma-extension.js';
import * as shared from '../../src/shared.js';
import * as testing from '../../src/testing.js';
import * as tracing from '../../src/tracing.js';
import * as unstorage from '../../src/unstorage.js';

let entries: ReadonlyMap<string, EntryPoint>;
let reports: ReadonlyMap<string, string>;

beforeAll(() => {
  entries = analyseEntryPoints();
  reports = new Map([...entries].map(([name, { report }]) => [name, report]));
});

const names = [...entryPoints().keys()];

describe('the reports of the public types', () => {
  it.each(names)('%s is up to date: npm run api:report renews it', (name) => {
    const file = path.join(reportFolder, `${name}.api.md`);
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(reports.get(name));
  });

  it('are of the entry points, and of nothing else', () => {
    expect(readdirSync(reportFolder).sort()).toEqual(names.map((name) => `${name}.api.md`).sort());
  });

  it.each(names)('%s has a docstring on every name, member and option that can be reached', (name) => {
    const report = reports.get(name) as string;
    expect(report).toContain('// @public');
    const undocumented = [...report.matchAll(/\(undocumented\)\n(.*)/g)].map(([, line]) => line?.trim());
    expect(undocumented).toEqual([]);
  });

  it('show apps nothing that is for workers, and no inner part', () => {
    const inner =
      /\b(LaneGroup|ClientContext|RecordStore|IdCodec|WriteBuffer|RedisTier|WriteBehindService|computeSuccessors)\b/;
    expect(names.filter((name) => name !== 'worker' && inner.test(reports.get(name) as string))).toEqual([]);
  });
});

describe('the pages that are made from it', () => {
  it('are as `npm run docs:reference` writes them', () => {
    const pages = [...referencePages(entries)];
    const stale = pages.filter(([file, text]) => readPage(file) !== text).map(([file]) => file);
    expect(stale).toEqual([]);
  });
});

describe('the entry points', () => {
  it('give the names that they are there for', () => {
    expect(Object.keys(forebay).sort()).toEqual([
      'DEFAULT_TTL',
      'ForebayError',
      'allOf',
      'cacheKey',
      'cacheKeys',
      'computed',
      'connect',
      'counter',
      'defineStores',
      'isForebayError',
      'partsOf',
      'readConfig',
      'record',
      'redisSettings',
      'requireDatabaseUrl',
      'ttlOf',
      'writer',
    ]);
    expect(Object.keys(patterns).sort()).toEqual([
      'batchCacheAside',
      'cacheAside',
      'cacheAsideStale',
      'invalidateRelated',
      'multiTierCache',
      'preventStampede',
      'refreshAhead',
      'writeBehind',
      'writeThrough',
    ]);
    expect(Object.keys(health).sort()).toEqual([
      'getRedisInfo',
      'getRedisMemoryStats',
      'getRedisMetrics',
      'isRedisAvailable',
      'testRedisConnection',
    ]);
    expect(Object.keys(metrics)).toEqual(['metricsOf']);
    expect(Object.keys(tracing)).toEqual(['openTelemetry']);
    expect(Object.keys(prismaExtension)).toEqual(['createPrismaAdapter', 'forebayExtension']);
    expect(Object.keys(testing).sort()).toEqual([
      'createTestForebay',
      'drain',
      'expectPersisted',
      'withFaults',
    ]);
    expect(Object.keys(keyv)).toEqual(['forebayKeyv']);
    expect(Object.keys(unstorage)).toEqual(['forebayDriver']);
    expect(Object.keys(next).sort()).toEqual(['nextCacheHandler', 'nextUseCacheHandler']);
    expect(Object.keys(fastify).sort()).toEqual(['forebayFastify', 'requestScope']);
    expect(Object.keys(nest).sort()).toEqual(['ForebayModule', 'forebayToken', 'requestScope']);
    expect(Object.keys(hono).sort()).toEqual(['closeWith', 'forebayHono', 'requestScope']);
    expect(Object.keys(shared).sort()).toEqual(['closeShared', 'share', 'sharedClient', 'sharedForebay']);
  });
});
