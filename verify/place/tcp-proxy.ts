/** A TCP proxy, for what only a network does: it cuts, slows down, falls silent, loses answers, refuses. */
import { createServer, type Server, type Socket, connect as toServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

interface Chunk {
  readonly dueAt: number;
  readonly data: Buffer;
}

/** One direction of a connection. */
class Stream {
  readonly #to: Socket;
  readonly #queue: Chunk[] = [];
  #timer: NodeJS.Timeout | undefined;
  isSilent = false;

  constructor(from: Socket, to: Socket, delayMs: () => number, isLost: () => boolean) {
    this.#to = to;
    from.on('data', (data) => {
      if (isLost()) return;
      this.#queue.push({ dueAt: Date.now() + delayMs(), data });
      this.flow();
    });
  }

  /** Passes on what is due, in its order. */
  flow(): void {
    clearTimeout(this.#timer);
    if (this.isSilent || this.#to.destroyed) return;
    for (;;) {
      const [first] = this.#queue;
      if (first === undefined) return;
      const waitMs = first.dueAt - Date.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.flow(), waitMs);
        return;
      }
      this.#queue.shift();
      this.#to.write(first.data);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }
}

interface Pair {
  readonly sockets: readonly [Socket, Socket];
  readonly streams: readonly [Stream, Stream];
}

export class TcpProxy {
  readonly #server: Server;
  readonly #target: () => number | undefined;
  readonly #pairs = new Set<Pair>();
  #delayMs = 0;
  #areAnswersLost = false;
  #isNewSilent = false;

  private constructor(target: () => number | undefined) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** `target`: the server's port on loopback; undefined while nobody may reach it. */
  static async start(target: () => number | undefined): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Both ends see a reset; what was on its way is gone. */
  cut(): void {
    for (const { sockets, streams } of this.#pairs) {
      for (const stream of streams) stream.end();
      for (const socket of sockets) socket.resetAndDestroy();
    }
  }

  async slow(delayMs: number, forMs: number): Promise<void> {
    this.#delayMs = delayMs;
    await sleep(forMs);
    this.#delayMs = 0;
  }

  /** The connections stay open and nothing comes through; then they go on, or are reset. `isTotal`: new ones too. */
  async silence(forMs: number, { isTotal, isCut }: { isTotal: boolean; isCut: boolean }): Promise<void> {
    this.#isNewSilent = isTotal;
    this.#setSilent(true);
    await sleep(forMs);
    this.#isNewSilent = false;
    if (isCut) this.cut();
    else this.#setSilent(false);
  }

  /** What is asked arrives, and no answer comes back, until the connections are reset. */
  async loseAnswers(forMs: number): Promise<void> {
    this.#areAnswersLost = true;
    await sleep(forMs);
    this.cut();
    this.#areAnswersLost = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #setSilent(isSilent: boolean): void {
    for (const { streams } of this.#pairs)
      for (const stream of streams) {
        stream.isSilent = isSilent;
        stream.flow();
      }
  }

  #accept(client: Socket): void {
    const port = this.#target();
    if (port === undefined) {
      client.on('error', ignore);
      client.resetAndDestroy();
      return;
    }
    const server = toServer(port, '127.0.0.1');
    const delayMs = (): number => this.#delayMs;
    const streams = [
      new Stream(client, server, delayMs, () => false),
      new Stream(server, client, delayMs, () => this.#areAnswersLost),
    ] as const;
    for (const stream of streams) stream.isSilent = this.#isNewSilent;
    const pair: Pair = { sockets: [client, server], streams };
    this.#pairs.add(pair);
    this.#endTogether(pair);
  }

  #endTogether(pair: Pair): void {
    for (const socket of pair.sockets) {
      socket.setNoDelay(true);
      socket.on('error', ignore);
      socket.on('close', () => {
        this.#pairs.delete(pair);
        for (const stream of pair.streams) stream.end();
        for (const other of pair.sockets) other.destroy();
      });
    }
  }
}

/** 'close' follows, and ends the other side. */
function ignore(): void {
  // Nothing more to do.
}
