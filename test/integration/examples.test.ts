/** Each example, as its page tells to run it: built, beside the package as it is published. */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../dev/docs/pages.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { installPacked } from '../support/packed.js';
import { nextMessage } from '../support/program.js';

const folders = await readdir(path.join(root, 'examples'), { withFileTypes: true });
const names = folders.filter((one) => one.isDirectory() && one.name !== 'platform').map(({ name }) => name);

let project: string;

beforeAll(async () => {
  project = await mkdtemp(path.join(tmpdir(), 'forebay-examples-'));
  await writeFile(path.join(project, 'package.json'), '{ "name": "examples", "type": "module" }');
  await installPacked(project);
  await mkdir(path.join(project, 'examples'));
  for (const name of [...names, 'platform']) {
    await cp(path.join(root, 'dist/examples', name), path.join(project, 'examples', name), {
      recursive: true,
    });
  }
  // The platform is a part of this repository, and takes its adapter from the source.
  const client = path.join(project, 'examples/platform/prisma.js');
  const text = await readFile(client, 'utf8');
  await writeFile(client, text.replace('../../src/connection/postgres.js', 'forebay/prisma'));
});

afterAll(() => rm(project, { recursive: true }));

/** Runs an example's workers while `use` goes on. */
async function withWorkers<T>(
  name: string,
  workers: readonly string[],
  use: (example: Example) => Promise<T>,
): Promise<T> {
  const environment = await createEnvironment();
  const started: ChildProcess[] = [];
  try {
    const example = { folder: path.join(project, 'examples', name), environment };
    for (const worker of workers) started.push(start(example, worker));
    await Promise.all(started.map((worker) => nextMessage(worker)));
    return await use(example);
  } finally {
    await Promise.all(started.map(end));
    await environment.close();
  }
}

interface Example {
  readonly folder: string;
  readonly environment: Environment;
}

const environmentOf = ({ environment }: Example): NodeJS.ProcessEnv => ({
  ...process.env,
  ...environment.env,
  LOG_LEVEL: 'error',
});

function start(example: Example, program: string, args: readonly string[] = []): ChildProcess {
  return fork(path.join(example.folder, `${program}.js`), args, {
    env: environmentOf(example),
    execArgv: [],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
}

/** What the example's program says at its end. */
async function main(example: Example, args: readonly string[] = []): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [path.join(example.folder, 'main.js'), ...args],
    { env: environmentOf(example) },
  );
  return JSON.parse(stdout);
}

describe('the example', () => {
  it.concurrent('page-counters counts each view once', async () => {
    const found = await withWorkers('page-counters', ['worker'], main);
    expect(found).toMatchObject({ views: 20_000, sumInDatabase: 20_000 });
  });

  it.concurrent('presence-autosave keeps what both have patched', async () => {
    const found = await withWorkers('presence-autosave', ['worker'], main);
    const description = 'The quay needs new planks before the winter. Ask the harbour master for the plan.';
    expect(found).toEqual({
      saves: description.length,
      isSeenWhole: true,
      row: { description, status: 'IN_PROGRESS', assigneeId: 'ada' },
      isPresent: true,
    });
  });

  it.concurrent('device-ingestion has each device as it told last', async () => {
    const found = await withWorkers('device-ingestion', ['worker'], (example) => main(example, ['1']));
    expect(found).toMatchObject({ messages: 10_000, refused: 0, rows: 2_000, wrong: 0 });
  });

  it.concurrent('warm-dashboards has its values computed by a worker', async () => {
    const found = await withWorkers('warm-dashboards', ['worker'], main);
    expect(found).toMatchObject({ openTasks: 2, computations: 3 });
  });

  it.concurrent('cron-warming has its value without a load', async () => {
    const found = await withWorkers('cron-warming', ['worker', 'scheduler'], main);
    expect(found).toEqual({ statistics: { users: 0, projects: 0 }, loads: 0 });
  });

  it.concurrent('fastify-api writes behind, reads at once, and ends in order', async ({ expect }) => {
    await withWorkers('fastify-api', ['worker'], async (example) => {
      const server = start(example, 'main', ['0']);
      const [url] = await once(createInterface(server.stdout as Readable), 'line');
      const call = (method: string, place: string, body?: object): Promise<Response> =>
        fetch(`${url}${place}`, {
          method,
          ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
        });
      expect((await call('GET', '/projects/quay')).status).toBe(404);
      expect((await call('PATCH', '/projects/quay', { name: 'Harbour' })).status).toBe(404);
      expect((await call('PUT', '/projects/quay', { name: '' })).status).toBe(400);
      expect((await call('PUT', '/projects/quay', { name: 'Quay' })).status).toBe(202);
      expect((await call('PATCH', '/projects/quay', { name: 'Harbour' })).status).toBe(202);
      const project = await (await call('GET', '/projects/quay')).json();
      expect(project).toMatchObject({ name: 'Harbour', views: 1 });
      expect((await call('GET', '/users/nobody/dashboard')).status).toBe(404);
      expect(await (await call('GET', '/ready')).json()).toMatchObject({ ok: true });
      await end(server);
      const { prisma } = example.environment;
      await expect
        .poll(() => prisma.project.findUnique({ where: { id: 'quay' } }))
        .toMatchObject({ name: 'Harbour' });
    });
  });

  it('has a test here, whatever its name', async () => {
    const text = await readFile(import.meta.filename, 'utf8');
    expect(names.filter((name) => !text.includes(`withWorkers('${name}'`))).toEqual([]);
  });
});
