/** A small HTTP server that answers a few GETs, on a port or a Unix socket. */
import { once } from 'node:events';
import { unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type ListenOptions } from 'node:net';
import { ForebayError, messageOf } from '../errors.js';
import { type HealthPlace, socketPathBytesMax } from '../health-place.js';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** What is answered, by path. */
export type Pages = Readonly<Record<string, () => Promise<Answer>>>;

export interface Listening {
  /** `http://127.0.0.1:9464/`, or `unix:/run/forebay/board-17.sock`. */
  readonly url: string;
  close(): Promise<void>;
}

const requestMaxMs = 10_000;
const connectionsMax = 64;

/** @throws Node's error EADDRINUSE when no port of the place is free, and others of `listen` */
export async function listen(place: HealthPlace, pages: Pages): Promise<Listening> {
  const server = createServer({ requestTimeout: requestMaxMs }, (request, response) => {
    void answer(request, response, pages);
  });
  server.maxConnections = connectionsMax;
  const address =
    place.kind === 'socket' ? await openSocket(server, place.path) : await openPort(server, place);
  // Health keeps no process alive.
  server.unref();
  return { url: address, close: () => leave(server) };
}

async function answer(request: IncomingMessage, response: ServerResponse, pages: Pages): Promise<void> {
  const { status, type, body } = await answerOf(request, pages);
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerOf({ method, url = '' }: IncomingMessage, pages: Pages): Promise<Answer> {
  const path = url.split('?')[0] as string;
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) return plain(404, `There are ${Object.keys(pages).join(', ')}.`);
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'Only GET.');
  try {
    return await page();
  } catch (error) {
    return plain(500, messageOf(error));
  }
}

function plain(status: number, text: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` };
}

async function openPort(server: Server, place: HealthPlace & { kind: 'port' }): Promise<string> {
  for (let port = place.from; ; port++) {
    try {
      await open(server, { host: place.host, port });
      break;
    } catch (error) {
      if (!isTaken(error) || port >= place.to) throw error;
    }
  }
  const { port } = server.address() as AddressInfo;
  return `http://${place.host.includes(':') ? `[${place.host}]` : place.host}:${port}/`;
}

/**
 * A process that was killed leaves its socket behind. A path that is too long only now, filled in, is
 * refused: two processes could have the same beginning of theirs.
 */
async function openSocket(server: Server, path: string): Promise<string> {
  const bytes = Buffer.byteLength(path);
  if (bytes > socketPathBytesMax)
    throw new ForebayError(
      'INVALID_CONFIG',
      `The socket ${path} can't be opened: its path has ${bytes} bytes, and ${socketPathBytesMax} are allowed. Choose a shorter one.`,
    );
  try {
    await open(server, { path });
  } catch (error) {
    if (!isTaken(error) || (await isAnswered(path))) throw error;
    unlinkSync(path);
    await open(server, { path });
  }
  return `unix:${path}`;
}

async function open(server: Server, where: ListenOptions): Promise<void> {
  server.listen(where);
  await once(server, 'listening');
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // ECONNREFUSED: nobody listens any more.
  } finally {
    socket.destroy();
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

async function leave(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
