/**
 * Writes of every kind while workers die and pause at every step, the database goes away, the queue loses its jobs and entries are evicted, in
 * random order, against sequential execution. `WRITE_MODEL_RUNS=200 npx vitest run test/faults/write-model.test.ts` runs it long;
 * fast-check prints the seed of a failure, and `WRITE_MODEL_SEED` repeats it.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type PostgresServer, startPostgresServer } from '../../dev/services/postgres-server.js';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { lanePlaces } from '../../src/buffer/lane.js';
import { isForebayError } from '../../src/errors.js';
import type { EventType } from '../../src/events.js';
import { fieldOf, queuePrefix } from '../../src/keys.js';
import { drained } from '../support/drained.js';
import { createEnvironment, type Environment, removeKeys } from '../support/environment.js';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.js';

type App = Forebay<(typeof stores)['definitions']>;

const runs = Number(process.env.WRITE_MODEL_RUNS ?? 3);
const seed = process.env.WRITE_MODEL_SEED;
const workersMax = 3;
/** How long a failed load stands for the next reads of its key. */
const failureStandsMs = 1_000;

let folder: string;
let server: PostgresServer;
let environment: Environment;
let apps: readonly App[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-postgres-'));
  server = await startPostgresServer({ folder });
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  environment = await createEnvironment({ databaseUrl: server.url });
  await environment.prisma.$executeRawUnsafe(
    "ALTER TABLE projects ADD CONSTRAINT not_bad CHECK (name NOT LIKE 'bad%')",
  );
  apps = [await environment.connect(stores), await environment.connect(stores)];
});

afterEach(() => environment.close());

/** What must be true of the rows, and what goes wrong meanwhile. */
class Model {
  readonly #rows = new Map<string, { name: string; touches: number }>();
  /** Ids whose last write the database refuses. */
  readonly #refused = new Set<string>();
  readonly #workers: WorkerProcess[] = [];
  #isDatabaseAway = false;
  #backAt = 0;
  #count = 0;

  async put(app: App, id: string): Promise<void> {
    const name = `name ${++this.#count}`;
    await app.stores.projects.put({ id, name });
    this.#rows.set(id, { name, touches: this.#rows.get(id)?.touches ?? 0 });
  }

  /** A delta for a row that is not there changes nothing, unless the row comes in time: nothing is promised. */
  async add(app: App, id: string): Promise<void> {
    const row = this.#rows.get(id);
    if (!row) return;
    await app.stores.projectTouches.add(id, ++this.#count);
    row.touches += this.#count;
  }

  async delete(app: App, id: string): Promise<void> {
    await app.stores.projects.delete(id);
    this.#rows.delete(id);
  }

  async update(app: App, id: string): Promise<void> {
    const row = this.#rows.get(id);
    if (!row) return;
    const name = `update ${++this.#count} of ${row.name}`.slice(0, 40);
    const updating = app.stores.projects.update(id, (found) => {
      expect(found?.name).toBe(row.name);
      return { id, name };
    });
    if (await this.#unlessAway(updating)) row.name = name;
  }

  async refuse(app: App, id: string): Promise<void> {
    await app.stores.projects.put({ id: `bad-${id}`, name: 'bad' });
    this.#refused.add(`bad-${id}`);
  }

  async deleteRefused(app: App, id: string): Promise<void> {
    await app.stores.projects.delete(`bad-${id}`);
    this.#refused.delete(`bad-${id}`);
  }

  /** No read is older than the last accepted write. */
  async read(app: App, id: string): Promise<void> {
    const row = this.#rows.get(id);
    await this.#unlessAway(
      app.stores.projects.get(id).then((found) => expect(found?.name ?? null).toBe(row?.name ?? null)),
    );
    await this.#unlessAway(
      app.stores.projectTouches.get(id).then((found) => expect(found).toBe(row?.touches ?? null)),
    );
  }

  async evict(id: string): Promise<void> {
    for (const { keys } of lanePlaces(environment.config.prefix, 'projects', { partitions: 4 })) {
      const fields = [fieldOf('projects', id), fieldOf('projectTouches', id)];
      await environment.redis.del(fields.map((field) => keys.entryPrefix + field));
    }
  }

  /** `fault`: what happens to it when it gets to a step. */
  async startWorker(fault?: { at: EventType; action: 'exit' | 'pause' }): Promise<void> {
    if (this.#isDatabaseAway) return;
    this.#workers.push(await startWorkerProcess(environment, fault));
    while (this.#workers.length > workersMax) await this.#workers.shift()?.kill();
  }

  killWorker = async (): Promise<void> => this.#workers.shift()?.kill();

  resumeWorkers(): void {
    for (const { process: child, resume } of this.#workers) if (isAlive(child)) resume();
  }

  loseJobs = (): Promise<void> => removeKeys(environment.redis, queuePrefix(environment.config.prefix));

  async stopDatabase(): Promise<void> {
    if (!this.#isDatabaseAway) await server.stop();
    this.#isDatabaseAway = true;
  }

  async startDatabase(): Promise<void> {
    if (!this.#isDatabaseAway) return;
    await server.restart();
    this.#isDatabaseAway = false;
    this.#backAt = Date.now();
  }

  /** With the faults over, the rows are those of sequential execution, and every refused record is a dead letter. */
  async expectTruth(): Promise<void> {
    await this.startDatabase();
    await this.startWorker();
    this.resumeWorkers();
    await drained(apps[0] as App);
    const rows = await environment.prisma.project.findMany({
      select: { id: true, name: true, touches: true },
    });
    expect(new Map(rows.map(({ id, ...row }) => [id, row]))).toEqual(this.#rows);
    const dead = new Set<string>();
    for await (const { id } of (apps[0] as App).deadLetters.list()) dead.add(id);
    expect(dead).toEqual(this.#refused);
  }

  async end(): Promise<void> {
    await this.startDatabase();
    for (const worker of this.#workers) await worker.kill();
    await environment.prisma.$executeRawUnsafe('DELETE FROM projects');
    await removeKeys(environment.redis, `{${environment.config.prefix}:projects/`);
  }

  /** What is neither cached nor pending can't be read while the database is away, and while a failed load of it stands. */
  async #unlessAway(work: Promise<unknown>): Promise<boolean> {
    const mayFail = this.#isDatabaseAway || Date.now() - this.#backAt < failureStandsMs;
    try {
      await work;
      return true;
    } catch (error) {
      if (mayFail && isForebayError(error, 'DATABASE_UNAVAILABLE')) return false;
      throw error;
    }
  }
}

function isAlive(child: WorkerProcess['process']): boolean {
  return child.exitCode === null && child.signalCode === null;
}

const moments = [
  'batch.sealed',
  'batch.written',
  'batch.applied',
  'batch.acked',
  'batch.void',
  'batch.split',
] as const;
const app = fc.nat({ max: 1 });
const id = fc.constantFrom('a', 'b', 'c', 'd');
const write = fc.tuple(
  fc.constantFrom('put', 'put', 'add', 'add', 'delete', 'update', 'refuse', 'deleteRefused', 'read', 'read'),
  app,
  id,
);
const fault = fc.constantFrom(
  'kill',
  'lose jobs',
  'stop database',
  'start database',
  'resume',
  'start',
  'evict',
);
const step = fc.oneof(
  { weight: 14, arbitrary: fc.record({ write }) },
  { weight: 3, arbitrary: fc.record({ fault, id }) },
  {
    weight: 2,
    arbitrary: fc.record({ at: fc.constantFrom(...moments), action: fc.constantFrom('exit', 'pause') }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function take(model: Model, step: Step): Promise<void> {
  if ('write' in step) return model[step.write[0] as 'put'](apps[step.write[1]] as App, step.write[2]);
  if ('at' in step) return model.startWorker(step as { at: EventType; action: 'exit' | 'pause' });
  const faults: Record<typeof step.fault, () => Promise<void> | void> = {
    kill: model.killWorker,
    'lose jobs': model.loseJobs,
    'stop database': () => model.stopDatabase(),
    'start database': () => model.startDatabase(),
    resume: () => model.resumeWorkers(),
    start: () => model.startWorker(),
    evict: () => model.evict(step.id),
  };
  await faults[step.fault]();
}

it('whatever happens meanwhile, rows and counters are those of sequential execution, and nothing accepted is lost', {
  timeout: 300_000 + runs * 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60, size: 'max' }), async (steps) => {
      const model = new Model();
      try {
        await model.startWorker();
        for (const one of steps) await take(model, one);
        await model.expectTruth();
      } finally {
        await model.end();
      }
    }),
    { numRuns: runs, endOnFailure: true, ...(seed === undefined ? {} : { seed: Number(seed) }) },
  );
});
