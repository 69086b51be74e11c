/** The server of health: what it answers, and the places that it takes. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { HealthPlace } from '../../../src/health-place.js';
import { type Listening, listen, type Pages } from '../../../src/vitals/http-server.js';

const pages: Pages = {
  '/live': async () => ({ status: 503, type: 'application/json', body: '{"ok":false}' }),
  '/broken': () => Promise.reject(new Error('it broke')),
};
const anyPort: HealthPlace = { kind: 'port', host: '127.0.0.1', from: 0, to: 0 };
const open: Listening[] = [];

const opened = async (place: HealthPlace): Promise<Listening> => {
  const listening = await listen(place, pages);
  open.push(listening);
  return listening;
};

afterEach(async () => {
  for (const listening of open.splice(0)) await listening.close();
});

it('answers what its pages say, and nothing else', async () => {
  const { url } = await opened(anyPort);
  const statusOf = async (path: string, method = 'GET') => (await fetch(url + path, { method })).status;
  const live = await fetch(`${url}live?x=1`);
  expect(live.status).toBe(503);
  expect(live.headers.get('content-type')).toBe('application/json');
  expect(live.headers.get('cache-control')).toBe('no-store');
  expect(await live.json()).toEqual({ ok: false });
  expect(await statusOf('live', 'HEAD')).toBe(503);
  expect(await statusOf('live', 'POST')).toBe(405);
  expect(await statusOf('toString')).toBe(404);
  expect(await statusOf('')).toBe(404);
  expect(await statusOf('broken')).toBe(500);
});

describe('of several ports', () => {
  it('the first free one is taken, and none when all are taken', async () => {
    const [other] = await Promise.all([opened(anyPort)]);
    const first = Number(new URL(other.url).port);
    const place: HealthPlace = { ...anyPort, from: first, to: Math.min(first + 20, 65_535) };
    expect(Number(new URL((await opened(place)).url).port)).toBeGreaterThan(first);
    await expect(opened({ ...anyPort, from: first, to: first })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});

describe('a socket', () => {
  it.each(['x'.repeat(120), 'é'.repeat(60)])(
    'whose path the system would cut off is refused: %s',
    async (name) => {
      await expect(opened({ kind: 'socket', path: `/tmp/${name}` })).rejects.toMatchObject({
        code: 'INVALID_CONFIG',
      });
    },
  );

  const inFolder = async (use: (path: string) => Promise<void>): Promise<void> => {
    const folder = await mkdtemp(path.join(tmpdir(), 'forebay-health-'));
    try {
      await use(path.join(folder, 'health.sock'));
    } finally {
      await rm(folder, { recursive: true });
    }
  };
  const get = (socketPath: string, page: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request({ socketPath, path: page }, ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end();
    });

  it('answers, and is gone once it is closed', () =>
    inFolder(async (file) => {
      const listening = await listen({ kind: 'socket', path: file }, pages);
      expect(await get(file, '/live')).toBe(503);
      await listening.close();
      expect(existsSync(file)).toBe(false);
    }));

  it('that a killed process has left is taken over; one that answers is not', () =>
    inFolder(async (file) => {
      const script = `require('net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
      await once(spawn(process.execPath, ['-e', script]), 'exit');
      expect(existsSync(file)).toBe(true);
      await opened({ kind: 'socket', path: file });
      expect(await get(file, '/live')).toBe(503);
      await expect(opened({ kind: 'socket', path: file })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    }));
});
