/**
 * What a command and the host say to each other over loopback: JSON, one message a line. Both prove that they know the secret in
 * the data folder, since any program on the machine can listen on, or connect to, a port.
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const LINE_BYTES_MAX = 65_536;

const need = z.enum(['postgres', 'redis']);
/** A service that a command wants the host to run. */
export type Need = z.infer<typeof need>;

const message = z.discriminatedUnion('kind', [
  /** host, on every connection */
  z.object({ kind: z.literal('hello'), challenge: z.string() }),
  /** command: its proof, and what it needs for as long as the connection lasts */
  z.object({ kind: z.literal('claim'), challenge: z.string(), proof: z.string(), needs: z.array(need) }),
  /** host: its proof; `ending` means that it takes no more claims and will be gone soon */
  z.object({ kind: z.literal('welcome'), proof: z.string(), ending: z.boolean() }),
  /** host: news for people */
  z.object({ kind: z.literal('say'), line: z.string() }),
  /** host: the URL of each service asked for */
  z.object({ kind: z.literal('ready'), urls: z.partialRecord(need, z.string()) }),
  /** host: a service could not be started */
  z.object({ kind: z.literal('failed'), code: z.string(), text: z.string() }),
  /** host: a service was lost, and the host ends */
  z.object({ kind: z.literal('lost'), text: z.string() }),
]);

export type Message = z.infer<typeof message>;

/** Messages over one socket. Text that is no message of ours closes it: then the other end is another program. */
export class Channel {
  readonly #socket: Socket;
  readonly #arrived: Message[] = [];
  #closed = false;
  #wake: () => void = () => undefined;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;

  constructor(socket: Socket) {
    this.#socket = socket;
    // An error is always followed by `close`, which is what counts here.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#closed = true;
        this.#wake();
        resolve();
      });
    });
    this.#read();
  }

  send(one: Message): void {
    if (!this.#closed) this.#socket.write(`${JSON.stringify(one)}\n`);
  }

  /** The next message; `closed` when there will be none, `late` when none came in time. */
  async next(withinMs: number): Promise<Message | 'closed' | 'late'> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const first = this.#arrived.shift();
      if (first) return first;
      if (this.#closed) return 'closed';
      if (Date.now() >= deadline) return 'late';
      await this.#news(deadline - Date.now());
    }
  }

  /** Sends what was written, then closes. */
  end(): void {
    this.#socket.destroySoon();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The connection alone does not keep this process running. */
  unref(): void {
    this.#socket.unref();
  }

  #read(): void {
    let bytes = 0;
    this.#socket.on('data', (chunk: Buffer) => {
      bytes = chunk.includes(10) ? 0 : bytes + chunk.length;
      if (bytes > LINE_BYTES_MAX) this.close();
    });
    const lines = createInterface({ input: this.#socket });
    // It passes the socket's errors on, and would throw them if nobody listened.
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      const parsed = message.safeParse(parseJson(line));
      if (!parsed.success) return this.close();
      this.#arrived.push(parsed.data);
      this.#wake();
    });
  }

  #news(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      // The open connection keeps the process running, not the limit on waiting for it.
      const timer = setTimeout(resolve, withinMs).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

export function newChallenge(): string {
  return randomBytes(16).toString('base64url');
}

/** Different for the two ends, so that neither can answer with what it was sent. */
export function proofOf(
  end: 'host' | 'command',
  secret: string,
  hostChallenge: string,
  commandChallenge: string,
): string {
  return createHmac('sha256', secret)
    .update(`${end} ${hostChallenge} ${commandChallenge}`)
    .digest('base64url');
}

export function isSame(proof: string, expected: string): boolean {
  const [a, b] = [Buffer.from(proof), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
