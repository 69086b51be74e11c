/** How the command `forebay` ends, as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commandProcess } from '../support/command-line.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { builtProgram } from '../support/program.js';

let environment: Environment;
let folder: string;

beforeAll(async () => {
  environment = await createEnvironment();
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-cli-'));
});

afterAll(async () => {
  await environment.close();
  await rm(folder, { recursive: true });
});

/** A module of stores that leaves something open, and does this besides. */
async function storesThat(does: string): Promise<string> {
  const file = path.join(folder, 'stores.mjs');
  const stores = pathToFileURL(builtProgram('examples/platform/stores.ts')).href;
  await writeFile(file, `export { stores } from '${stores}';\nsetInterval(() => {}, 1_000);\n${does}\n`);
  return file;
}

function start(...args: string[]): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const env = { ...process.env, ...environment.env };
  return spawn(process.execPath, [builtProgram('src/cli/bin.ts'), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

it('a command that is done ends, though the module of its stores has left something open', async () => {
  const stores = await storesThat('');
  const said = await commandProcess(['where', 'projects:none', '--stores', stores], environment.env);
  expect(said).toMatchObject({ code: 0, err: '', out: expect.stringContaining('There is no row.') });
});

it.each(['SIGINT', 'SIGTERM'] as const)(
  'a command that has no end of its own to make is ended by the first %s',
  async (signal) => {
    const stores = await storesThat("console.log('loaded'); await new Promise(() => {});");
    const child = start('where', 'projects:none', '--stores', stores);
    await once(child.stdout, 'data');
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([null, signal]);
  },
);

it('a command that has an end of its own to make makes it at the first SIGTERM', async () => {
  const child = start('status', '--watch', '--json');
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

it.each([
  [['help'], 141],
  [['status', '--watch', '--json'], 0],
])('a command whose output nobody reads any more ends without a word: %j', async (args, code) => {
  const child = start(...args);
  const said = text(child.stderr as NonNullable<typeof child.stderr>);
  (child.stdout as unknown as { destroy(): void }).destroy();
  expect(await once(child, 'exit')).toEqual([code, null]);
  expect(await said).toBe('');
});
