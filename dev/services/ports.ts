/**
 * Free ports on loopback. All lie below 32768: from there on the system lends ports to outgoing connections.
 */

import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { hasCode, readIfThere, writePrivately } from './data-folder.js';
import { ServicesError } from './errors.js';

const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;
const TRIES_MAX = 50;

/** The port that `file` remembers if it is free now, else another free one, which is then remembered. */
export async function keptPort(file: string): Promise<number> {
  const before = Number(await readIfThere(file));
  if (before >= FIRST_PORT && before <= LAST_PORT && (await isFree(before))) return before;
  const port = await freePort();
  await writePrivately(file, String(port));
  return port;
}

/** A listening server on the port, or undefined when somebody has the port. */
export function tryListen(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('listening', () => resolve(server));
    server.once('error', (error) => {
      if (hasCode(error, 'EADDRINUSE') || hasCode(error, 'EACCES')) resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true });
  });
}

/** Of this process: who was given one may not listen on it yet. */
const given = new Set<number>();

/** Random, so that two processes that ask at once hardly get the same one. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new ServicesError(
    'SERVER_START_FAILED',
    `No free port found on 127.0.0.1 between ${FIRST_PORT} and ${LAST_PORT} in ${TRIES_MAX} tries: end what listens there.`,
  );
}

async function isFree(port: number): Promise<boolean> {
  const server = await tryListen(port);
  if (!server) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}
