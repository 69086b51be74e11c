/** A worker process tells of its health from before its start until it is gone. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEnvironment, type Environment } from '../support/environment.js';
import { forkProgram, nextMessage } from '../support/program.js';

let environment: Environment;
let folder: string;

beforeAll(async () => {
  environment = await createEnvironment();
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-health-'));
});

afterAll(async () => {
  await environment.close();
  await rm(folder, { recursive: true });
});

it('a worker process answers on the socket of its name and pid, and leaves none behind', async () => {
  const child = startWorker('write-behind', { FOREBAY_HEALTH: `unix:${folder}/{name}-{pid}.sock` });
  await nextMessage(child);
  const socket = path.join(folder, `write-behind-${child.pid}.sock`);
  const { status, body } = await get(socket, '/ready');
  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({ ok: true, name: 'write-behind', pid: child.pid });
  const metrics = async () => (await get(socket, '/metrics')).body;
  expect(await metrics()).toContain('forebay_up{what="database",role="write-behind"} 1');
  expect(await metrics()).toMatch(/^process_resident_memory_bytes\{role="write-behind"\} \d+$/m);
  // Once it has a sample.
  await expect.poll(metrics).toMatch(/^nodejs_eventloop_lag_p99_seconds\{role="write-behind"\} [\d.]+$/m);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(existsSync(socket)).toBe(false);
});

it('a worker whose start waits for Redis says so, and leaves no socket behind', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const child = startWorker('board', {
    FOREBAY_HEALTH: `unix:${folder}/{name}-{pid}.sock`,
    QUEUE_REDIS_URL: `redis://127.0.0.1:${port}`,
  });
  const exited = once(child, 'exit');
  await once(silent, 'connection');
  const socket = path.join(folder, `board-${child.pid}.sock`);
  const { status, body } = await get(socket, '/ready');
  expect(status).toBe(503);
  expect(JSON.parse(body).checks[0]).toMatchObject({ name: 'started', ok: false });
  expect((await get(socket, '/metrics')).status).toBe(503);
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(existsSync(socket)).toBe(false);
  silent.close();
});

function startWorker(name: string, env: Record<string, string>): ChildProcess {
  return forkProgram(`workers/${name}.ts`, {
    env: { ...environment.env, BOARD_PORT: '0', LOG_LEVEL: 'silent', ...env },
  });
}

function get(socketPath: string, page: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: page }, async (response) =>
      resolve({ status: response.statusCode, body: await text(response) }),
    )
      .on('error', reject)
      .end();
  });
}
