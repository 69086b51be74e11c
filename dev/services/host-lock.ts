/**
 * Makes this process the only host of its data folder, or finds that there is one already.
 */

import { rmSync } from 'node:fs';
import type { Server } from 'node:net';
import path from 'node:path';
import { readIfThere, writePrivately } from './data-folder.js';
import { ServicesError } from './errors.js';
import { candidatePorts, findHost } from './host-address.js';
import { worksIn } from './left-over.js';
import { tryListen } from './ports.js';

/**
 * The listening server that makes this process the host, or undefined when another process is. The process must work in `folder`.
 * `answer` serves the connections from the first moment on.
 * @throws ServicesError HOST_UNAVAILABLE
 */
export async function becomeHost(
  folder: string,
  answer: (server: Server) => void,
): Promise<Server | undefined> {
  const server = await takePort(folder, answer);
  if (!server) return undefined;
  // Another program can have had the first port a moment ago, so that a second host took the next. Both listen
  // before they look, so at least one of two sees the other.
  if ((await isHosted(folder, portOf(server))) || (await isRecorded(folder))) {
    server.close();
    return undefined;
  }
  await writePrivately(recordFile(folder), String(process.pid));
  return server;
}

/** To be called last, when the servers are stopped. */
export function forgetHost(folder: string): void {
  rmSync(recordFile(folder), { force: true });
}

async function takePort(folder: string, answer: (server: Server) => void): Promise<Server | undefined> {
  const ports = candidatePorts(folder);
  for (const port of ports) {
    const server = await tryListen(port);
    if (server) {
      answer(server);
      return server;
    }
    if (await isHosted(folder)) return undefined;
  }
  const text = `Other programs listen on all ports where the host of ${folder} could: ${ports.join(', ')}. End one of them, or choose another FOREBAY_DATA_FOLDER.`;
  throw new ServicesError('HOST_UNAVAILABLE', text);
}

async function isHosted(folder: string, except?: number): Promise<boolean> {
  const link = await findHost(folder, [], except);
  link?.channel.close();
  return link !== undefined;
}

/** A host that hangs answers nobody, but still has the servers. */
async function isRecorded(folder: string): Promise<boolean> {
  const pid = Number.parseInt((await readIfThere(recordFile(folder))) ?? '', 10);
  if (!(pid > 1) || pid === process.pid || !(await worksIn(pid, folder))) return false;
  const text = `The process that keeps the services of ${folder} (process ${pid}) does not answer: end it with \`kill ${pid}\`, or \`kill -9 ${pid}\`, and try again.`;
  throw new ServicesError('HOST_UNAVAILABLE', text);
}

function recordFile(folder: string): string {
  return path.join(folder, 'host.pid');
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
