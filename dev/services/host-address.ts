/**
 * Where the host of a data folder can be met: one of a few loopback ports that follow from the folder's path. The port is also the
 * lock that keeps hosts to one per folder: the system gives it to one process, and takes it back however that process ends.
 */

import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { Channel, isSame, type Need, newChallenge, proofOf } from './channel.js';
import { keptSecret } from './data-folder.js';

const CANDIDATES = 8;
const FIRST_PORT = 12_000;
const PORTS = 7_000;
const ANSWER_MS = 5_000;

/** An open connection to the host of a folder. */
export interface Link {
  readonly channel: Channel;
  /** The host takes no more claims: wait for the channel to close, and look again. */
  readonly ending: boolean;
}

/** More than one, for the case that another program has the first. */
export function candidatePorts(folder: string): number[] {
  const hash = createHash('sha256').update(`forebay services of ${folder}`).digest();
  return Array.from({ length: CANDIDATES }, (_, n) => FIRST_PORT + (hash.readUInt16BE(2 * n) % PORTS));
}

export function hostSecret(folder: string): Promise<string> {
  return keptSecret(path.join(folder, 'host.secret'));
}

/** A connection to the folder's host, which then holds the services in `needs` for it; undefined when no host answers. */
export async function findHost(
  folder: string,
  needs: readonly Need[],
  except?: number,
): Promise<Link | undefined> {
  const secret = await hostSecret(folder);
  for (const port of candidatePorts(folder)) {
    if (port === except) continue;
    const link = await greet(port, secret, needs);
    if (link) return link;
  }
  return undefined;
}

/** Undefined when nobody listens there, or another program. */
async function greet(port: number, secret: string, needs: readonly Need[]): Promise<Link | undefined> {
  const socket = await open(port);
  if (!socket) return undefined;
  const channel = new Channel(socket);
  const ending = await exchangeProofs(channel, secret, needs);
  if (ending !== undefined) return { channel, ending };
  channel.close();
  return undefined;
}

/** Whether the host is ending, or undefined when the other side is not our host. */
async function exchangeProofs(
  channel: Channel,
  secret: string,
  needs: readonly Need[],
): Promise<boolean | undefined> {
  const hello = await channel.next(ANSWER_MS);
  if (typeof hello === 'string' || hello.kind !== 'hello') return undefined;
  const challenge = newChallenge();
  const proof = proofOf('command', secret, hello.challenge, challenge);
  channel.send({ kind: 'claim', challenge, proof, needs: [...needs] });
  const welcome = await channel.next(ANSWER_MS);
  if (typeof welcome === 'string' || welcome.kind !== 'welcome') return undefined;
  const expected = proofOf('host', secret, hello.challenge, challenge);
  return isSame(welcome.proof, expected) ? welcome.ending : undefined;
}

function open(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const timer = setTimeout(() => socket.destroy(), ANSWER_MS);
    socket.once('close', () => resolve(undefined));
    // Refused is the usual answer, and `close` follows.
    socket.once('error', () => clearTimeout(timer));
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
