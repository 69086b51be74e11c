/** `npm start` and `npm stop`, without the build before them, under a pm2 of the test's own. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePort } from '../../dev/services/ports.js';
import { stores } from '../../examples/platform/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;
let home: string;

beforeEach(async () => {
  environment = await createEnvironment();
  // Short, for it holds Unix sockets.
  home = await mkdtemp(path.join(tmpdir(), 'forebay-start-'));
});

afterEach(async () => {
  await run('stop');
  await environment.close();
  await rm(home, { recursive: true, force: true });
});

async function run(name: 'start' | 'stop', more: Readonly<Record<string, string>> = {}): Promise<string> {
  const env = { ...process.env, ...environment.env, ...more, PM2_HOME: home };
  return (await promisify(execFile)(process.execPath, ['--import', 'tsx', `dev/pm2/${name}.ts`], { env }))
    .stdout;
}

it('runs the whole set, says where the board is, and ends it', async () => {
  const port = await freePort();
  const said = await run('start', { BOARD_PORT: `${port}`, WRITE_BEHIND_INSTANCES: '1' });
  expect(said).toContain(`5 processes run. The board: http://127.0.0.1:${port}/\n`);
  expect((await fetch(`http://127.0.0.1:${port}/`)).ok).toBe(true);
  const app = await environment.connect(stores);
  await app.stores.clients.put({ id: 'c1', name: 'one' });
  await app.flush({ timeoutMs: 60_000 });
  expect(await environment.prisma.client.count()).toBe(1);
  expect(await run('stop')).toBe('5 processes ended.\n');
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  expect(await run('stop')).toBe('Nothing runs.\n');
  expect(await readdir(home)).not.toContain('pm2.pid');
});
