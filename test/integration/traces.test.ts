/** With an SDK of the user's, spans lead from a write to the statements that carry it to the database. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';
import { openTelemetry } from '../../src/tracing.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type RecordedSpan, recordSpans } from '../support/recorded-spans.js';

let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;
let worker: WriteBehindService;
let spans: ReturnType<typeof recordSpans>;

beforeEach(async () => {
  spans = recordSpans();
  environment = await createEnvironment();
  const { prisma, config, events } = environment;
  const trace = openTelemetry();
  app = await environment.connect(stores, { trace });
  worker = new WriteBehindService({
    stores,
    prisma,
    config,
    emit: (event) => void events.push(event),
    trace,
  });
  await worker.start();
});

afterEach(async () => {
  await worker.stop(5_000);
  await environment.close();
  spans.stop();
});

const named = (name: string): RecordedSpan[] => spans.ended.filter((span) => span.name === name);
const pathOf = (span: RecordedSpan | undefined): string[] =>
  span === undefined ? [] : [...pathOf(span.parent), span.name];

it('a write has a span with its lane and version, and its batch one with the statements of its transaction', async () => {
  const receipt = await app.stores.projects.put({ id: 'p', name: 'traced secretly' });
  await receipt.persisted();
  const [write] = named('forebay.write') as [RecordedSpan];
  expect(write).toMatchObject({
    parent: undefined,
    error: undefined,
    attributes: {
      'forebay.lane': receipt.lane,
      'forebay.store': 'projects',
      'forebay.operation': 'put',
      'forebay.writes': 1,
      'forebay.version': String(receipt.version),
    },
  });
  await expect.poll(() => named('forebay.flush')).toHaveLength(1);
  const [flush] = named('forebay.flush') as [RecordedSpan];
  expect(flush.attributes).toMatchObject({
    'forebay.lane': receipt.lane,
    'forebay.size': 1,
    'forebay.rows': 1,
  });
  expect(BigInt(flush.attributes['forebay.batch'] as string)).toBeGreaterThan(receipt.version);
  const statements = named('forebay.statement');
  const path = ['forebay.flush', 'forebay.transaction', 'forebay.statement'];
  expect(statements.map(pathOf)).toEqual(statements.map(() => path));
  const texts = statements.map(({ attributes }) => String(attributes['db.query.text']));
  expect(texts.filter((text) => /insert into .*projects/i.test(text))).toHaveLength(1);
  expect(texts.filter((text) => /ledger/i.test(text)).length).toBeGreaterThan(0);
  // What is written is no part of a trace.
  expect(JSON.stringify(spans.ended.map(({ attributes }) => attributes))).not.toContain('secretly');
});

it('what is refused, by Redis or by the database, is an error of its span', async () => {
  const receipt = await app.stores.projects.put({ id: 'p', name: 'first' });
  const stale = app.stores.projects.putIf({ id: 'p', name: 'second' }, {
    version: receipt.version - 1n,
  } as never);
  await expect(stale).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(named('forebay.write').map(({ error }) => error)).toEqual([undefined, expect.stringMatching(/./)]);
  await environment.prisma.$executeRawUnsafe('ALTER TABLE projects ADD CHECK (length(name) < 10)');
  const bad = await app.stores.projects.put({ id: 'bad', name: 'x'.repeat(20) });
  await expect(bad.persisted()).rejects.toMatchObject({ code: 'DATABASE_REFUSED' });
  const failed = named('forebay.transaction').filter(({ error }) => error !== undefined);
  expect(failed.map(pathOf)).toContainEqual(['forebay.flush', 'forebay.transaction']);
  await expect
    .poll(() => named('forebay.flush').map(({ attributes }) => attributes['forebay.refused']))
    .toContain(1);
});

it('a write within a span of the app is its child', async () => {
  const trace = openTelemetry();
  await trace('request', {}, async () => void (await app.stores.projects.put({ id: 'p', name: 'one' })));
  expect(pathOf(named('forebay.write')[0])).toEqual(['request', 'forebay.write']);
});
