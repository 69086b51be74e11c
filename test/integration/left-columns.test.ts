/** Writes that leave `@default(now())` to the row: chance sequences beside plain Prisma, which does the same one after the other. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { isForebayError } from '../../src/errors.js';
import { createEnvironment, type Environment } from '../support/environment.js';

/** Nothing is sealed but by `seal` and `flush`. */
const stores = defineStores({
  projects: record({ model: Project, partitions: 2, minDelayMs: 60_000 }),
});

const own = [
  'put',
  'put-made',
  'put-if',
  'patch',
  'patch-made',
  'update',
  'update-made',
  'delete',
  'evict',
  'get',
] as const;
type Own = (typeof own)[number];
type OfLane = 'own' | 'flush' | 'seal';

const patternsCount = 20;
const rowsOfPattern = 25;
const length = 6;

interface Run {
  readonly id: string;
  readonly operations: readonly Own[];
  /** Whether something is pending of the row, and whether Redis has it. */
  isPending: boolean;
  isKnown: boolean;
  /** A put of a row that Redis did not have: until it is written, when the row was made is not known. */
  isUnsure: boolean;
}

/** When the steps were done, in ms since 1970. */
type Times = [start: number, end: number][];

let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;
let buffer: WriteBuffer;
let lanes: Lanes;

beforeAll(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
  buffer = new WriteBuffer(environment.redis, environment.config.prefix);
  lanes = new Lanes(stores, environment.config.prefix);
  await environment.startWorker(stores);
});

afterAll(() => environment.close());

describe('a put that leaves when a row was made', () => {
  it('keeps it as plain Prisma does, over whatever is pending, cached or gone', async () => {
    const ofLane = fc.constantFrom<OfLane>('own', 'own', 'own', 'flush', 'seal');
    const patterns = fc.sample(fc.array(ofLane, { minLength: length, maxLength: length }), patternsCount);
    for (const [number, pattern] of patterns.entries()) await runAll(pattern, number);
  });
});

async function runAll(pattern: readonly OfLane[], number: number): Promise<void> {
  const operations = fc.array(fc.constantFrom(...own), { minLength: length, maxLength: length });
  const runs = fc.sample(operations, rowsOfPattern).map(
    (operations, i): Run => ({
      id: `${number}-${i}`,
      operations,
      isPending: false,
      isKnown: false,
      isUnsure: false,
    }),
  );
  const times: Times = [];
  for (const [step, ofLane] of pattern.entries()) {
    const startedAt = Date.now();
    if (ofLane === 'own')
      await Promise.all(runs.map((run) => take(run, run.operations[step] as Own, step, times)));
    else await (ofLane === 'seal' ? sealAll() : flush(runs));
    times.push([startedAt, Date.now()]);
  }
  await flush(runs);
  await Promise.all(
    runs.map(async ({ id, operations }) => {
      const said = `${pattern}: ${operations}`;
      const plain = await rowOf(theirs(id));
      expectSame(await rowOf(id), plain, times, said);
      await app.stores.projects.evict(id);
      expectSame(await app.stores.projects.get(id), plain, times, said);
    }),
  );
}

const theirs = (id: string): string => `plain-${id}`;
const made = (step: number): Date => new Date(Date.UTC(2000 + step, 0));
const rowOf = (id: string) => environment.prisma.project.findUnique({ where: { id } });

async function flush(runs: readonly Run[]): Promise<void> {
  await app.flush();
  for (const run of runs) run.isPending = false;
}

async function sealAll(): Promise<void> {
  for (const lane of lanes.all) await buffer.seal(lane, { recordsMax: 100_000, delayMs: 0, floor: 0n });
}

async function take(run: Run, operation: Own, step: number, times: Times): Promise<void> {
  const { id } = run;
  if (operation === 'evict') {
    run.isKnown &&= run.isPending;
    return app.stores.projects.evict(id);
  }
  if (operation === 'get') {
    const [row, plain] = [await app.stores.projects.get(id), await rowOf(theirs(id))];
    run.isKnown = true;
    if (!run.isUnsure) expectSame(row, plain, [...times, [0, Date.now()]], `${run.operations} at ${step}`);
    return;
  }
  const [ours, plain] = [
    await outcomeOf(write(operation, id, step)),
    await writePlain(operation, theirs(id), step),
  ];
  expect(ours, `${run.operations} at ${step}`).toBe(plain);
  if (operation === 'put') run.isUnsure ||= !run.isKnown;
  else if (operation.endsWith('-made') || operation === 'delete') run.isUnsure = false;
  run.isPending = true;
  run.isKnown = true;
}

async function write(operation: Own, id: string, step: number): Promise<unknown> {
  const { projects } = app.stores;
  const [name, createdAt] = [`${step}`, made(step)];
  switch (operation) {
    case 'put':
      return projects.put({ id, name });
    case 'put-made':
      return projects.put({ id, name, createdAt });
    case 'put-if':
      return projects.putIf({ id, name }, await projects.getVersioned(id));
    case 'patch':
      return projects.patch(id, { name });
    case 'patch-made':
      return projects.patch(id, { createdAt });
    case 'update':
      return missing(await projects.update(id, (row) => row && { ...row, name }));
    case 'update-made':
      return missing(await projects.update(id, (row) => row && { ...row, createdAt }));
    default:
      return projects.delete(id);
  }
}

const missing = (updated: unknown): unknown => updated ?? Promise.reject(new Error('missing'));

async function writePlain(operation: Own, id: string, step: number): Promise<'done' | 'missing'> {
  const { project } = environment.prisma;
  const [name, createdAt] = [`${step}`, made(step)];
  if (operation.startsWith('put')) {
    const row = operation === 'put-made' ? { name, createdAt } : { name };
    await project.upsert({ where: { id }, create: { id, ...row }, update: row });
    return 'done';
  }
  if (operation === 'delete') {
    await project.deleteMany({ where: { id } });
    return 'done';
  }
  const data = operation.endsWith('-made') ? { createdAt } : { name };
  const { count } = await project.updateMany({ where: { id }, data });
  return count === 1 ? 'done' : 'missing';
}

async function outcomeOf(writing: Promise<unknown>): Promise<'done' | 'missing'> {
  try {
    await writing;
    return 'done';
  } catch (error) {
    if (isForebayError(error) && error.code !== 'ROW_MISSING') throw error;
    return 'missing';
  }
}

type Made = { readonly name: string; readonly createdAt: Date } | null;

/** What was made now was made in the same step. */
function expectSame(ours: Made, plain: Made, times: Times, said: string): void {
  expect(ours?.name, said).toBe(plain?.name);
  const [one, other] = [Number(ours?.createdAt ?? 0), Number(plain?.createdAt ?? 0)];
  const isSame = ([start, end]: [number, number]) =>
    [one, other].every((time) => time >= start && time <= end);
  const isFound = one === other || times.some(isSame);
  expect(isFound ? other : one, said).toBe(other);
}
