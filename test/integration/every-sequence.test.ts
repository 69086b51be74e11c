/**
 * Every sequence of operations on a record and its counter, up to a length, against what one table would do. Of longer ones than usual
 * (`npm run sequences`) those that begin alike are a test of their own, so that one sees how far they are.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';

/** Nothing is sealed but by `seal` and `flush`. */
const projects = record({
  model: Project,
  counters: ['touches'],
  partitions: 2,
  batchRecordsMax: 5_000,
  minDelayMs: 60_000,
  deadLettersMax: 100_000,
});
const stores = defineStores({ projects, touches: counter({ of: projects, field: 'touches' }) });

const usual = 4;
const longest = Number(process.env.EVERY_SEQUENCE_LENGTH ?? usual);
const limitMs = longest > usual ? 7_200_000 : 600_000;
/** Many more would wait for connections of Postgres longer than the pool lets them. */
const atATime = longest > usual ? 100 : 500;

/** Of a record; the others are of its lane. */
const ownOperations = ['put', 'delete', 'add', 'evict', 'get', 'update', 'patch'] as const;
const laneOperations = ['own', 'flush', 'seal'] as const;
type Own = (typeof ownOperations)[number];
type OfLane = (typeof laneOperations)[number];

/** What one table would have. A delta counts in the row that is there, or in the one that comes. */
interface Sequential {
  name: string | null;
  touches: number;
}

interface Run {
  readonly id: string;
  readonly operations: readonly (Own | 'flush' | 'seal')[];
  readonly model: Sequential;
}

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

describe('every sequence of operations', () => {
  const beginnings = longest > usual ? [...ownOperations, 'flush', 'seal'] : ['anything'];
  it.each(beginnings)(
    `up to ${longest} that begin with %s read and leave what one table would`,
    async (first) => {
      const patterns = sequencesOf(laneOperations, longest);
      for (const [number, pattern] of patterns.entries()) await runAll(pattern, number, first);
    },
    limitMs,
  );
});

/** Records whose lanes are flushed and sealed at the same steps go together. Shorter sequences are those that begin longer ones. */
async function runAll(pattern: readonly OfLane[], number: number, first: string): Promise<void> {
  const runs = runsOf(pattern, `${first}-${number}`).filter(
    ({ operations }) => first === 'anything' || operations[0] === first,
  );
  if (runs.length === 0) return;
  for (const [step, ofLane] of pattern.entries()) {
    if (ofLane === 'flush') await app.flush({ timeoutMs: limitMs });
    else if (ofLane === 'seal') await sealAll();
    else await each(runs, (run) => take(run, run.operations[step] as Own, step));
  }
  await app.flush({ timeoutMs: limitMs });
  const rows = await environment.prisma.project.findMany({ select: { id: true, name: true, touches: true } });
  const found = new Map(rows.map(({ id, name, touches }) => [id, { name, touches }]));
  for (const { id, model, operations } of runs) {
    const expected = model.name === null ? undefined : model;
    expect(found.get(id), `${operations}`).toEqual(expected);
  }
  await each(runs, (run) => read(run));
  await environment.prisma.project.deleteMany();
  await Promise.all(lanes.all.map(({ keys }) => environment.redis.del(keys.dead)));
}

function runsOf(pattern: readonly OfLane[], name: string): Run[] {
  const ownCount = pattern.filter((ofLane) => ofLane === 'own').length;
  return sequencesOf(ownOperations, ownCount).map((own, i) => {
    const left = [...own];
    return {
      id: `${name}-${i}`,
      operations: pattern.map((ofLane) => (ofLane === 'own' ? (left.shift() as Own) : ofLane)),
      model: { name: null, touches: 0 },
    };
  });
}

function sequencesOf<T>(choices: readonly T[], length: number): T[][] {
  if (length === 0) return [[]];
  return sequencesOf(choices, length - 1).flatMap((start) => choices.map((choice) => [...start, choice]));
}

async function each(runs: readonly Run[], act: (run: Run) => Promise<void>): Promise<void> {
  for (let i = 0; i < runs.length; i += atATime) await Promise.all(runs.slice(i, i + atATime).map(act));
}

async function sealAll(): Promise<void> {
  for (const lane of lanes.all) await buffer.seal(lane, { recordsMax: 100_000, delayMs: 0, floor: 0n });
}

async function take(run: Run, operation: Own, step: number): Promise<void> {
  const { id, model } = run;
  switch (operation) {
    case 'put':
      await app.stores.projects.put({ id, name: `put ${step}` });
      model.name = `put ${step}`;
      return;
    case 'delete':
      await app.stores.projects.delete(id);
      Object.assign(model, { name: null, touches: 0 });
      return;
    case 'add':
      await app.stores.touches.add(id, step + 1);
      model.touches += step + 1;
      return;
    case 'evict': {
      const { entryPrefix } = lanes.of(stores.groups[0] as (typeof stores)['groups'][number], id).keys;
      await environment.redis.del(`${entryPrefix}projects:${id}`, `${entryPrefix}touches:${id}`);
      return;
    }
    case 'get':
      return read(run);
    case 'update':
      await app.stores.projects.update(id, (row) => row && { id, name: `${row.name}, updated` });
      if (model.name !== null) model.name = `${model.name}, updated`;
      return;
    case 'patch': {
      const patched = app.stores.projects.patch(id, { name: `patch ${step}` });
      if (model.name === null) return expect(patched).rejects.toMatchObject({ code: 'ROW_MISSING' });
      await patched;
      model.name = `patch ${step}`;
    }
  }
}

async function read({ id, model, operations }: Run): Promise<void> {
  const [row, touches] = [await app.stores.projects.get(id), await app.stores.touches.get(id)];
  const expected = model.name === null ? [null, null] : [model.name, model.touches];
  expect([row?.name ?? null, touches], `${operations}`).toEqual(expected);
}
