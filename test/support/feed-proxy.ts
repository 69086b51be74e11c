/** A TCP proxy before a Redis server, for what only a network does to one connection: here to the feed of invalidations. */
import { createServer, type Server, type Socket, connect as toServer } from 'node:net';
import { redisSettings, type ServerSettings } from '../../src/redis-settings.js';

/** Where the feed's connection is interfered with, as a part of what the app sends, and how often. */
interface Trap {
  readonly word: string;
  readonly does: 'cut' | 'delay';
  times: number;
}

interface Pipe {
  isFeed: boolean;
  isSilent: boolean;
  delayed: Buffer[] | undefined;
}

export class FeedProxy {
  readonly #server: Server;
  readonly #target: ServerSettings;
  readonly #sockets = new Set<Socket>();
  readonly #pipes: Pipe[] = [];
  #trap: Trap | undefined;

  private constructor(target: ServerSettings) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (app) => this.#accept(app));
  }

  /** `url`: of the Redis server. */
  static async start(url: string): Promise<FeedProxy> {
    const proxy = new FeedProxy(redisSettings(url));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get settings(): ServerSettings {
    return { ...this.#target, host: '127.0.0.1', port: (this.#server.address() as { port: number }).port };
  }

  /** The feed's connection stays open and brings nothing any more, as after a cable is pulled. One that is made later works. */
  silenceFeed(): void {
    for (const pipe of this.#pipes) pipe.isSilent = pipe.isFeed;
  }

  /** Breaks the feed's connection, `times` times, where it would pass on what has this word. */
  cutFeedAt(word: string, times: number): void {
    this.#trap = { word, does: 'cut', times };
  }

  /** Passes on what has this word, and all that follows, only when the app has given the connection up; once. */
  delayFeedAt(word: string): void {
    this.#trap = { word, does: 'delay', times: 1 };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(app: Socket): void {
    const redis = toServer(this.#target.port, this.#target.host);
    const pipe: Pipe = { isFeed: false, isSilent: false, delayed: undefined };
    this.#pipes.push(pipe);
    this.#endTogether(app, redis);
    app.on('data', (data) => {
      pipe.isFeed ||= data.includes('forebay-feed');
      const does = pipe.isFeed ? this.#sprung(data) : undefined;
      if (does === 'cut') app.destroy();
      else if (does === 'delay' || pipe.delayed) pipe.delayed = [...(pipe.delayed ?? []), data];
      else if (!pipe.isSilent) redis.write(data);
    });
    redis.on('data', (data) => void (pipe.isSilent || app.write(data)));
    app.on('end', () => {
      if (pipe.delayed) redis.write(Buffer.concat(pipe.delayed));
      else if (!pipe.isSilent) app.end();
    });
  }

  #endTogether(app: Socket, redis: Socket): void {
    for (const socket of [app, redis]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined); // its close follows
      socket.on('close', () => {
        this.#sockets.delete(socket);
        app.destroy();
        redis.destroy();
      });
    }
  }

  #sprung(data: Buffer): Trap['does'] | undefined {
    const trap = this.#trap;
    if (trap === undefined || trap.times === 0 || !data.includes(trap.word)) return undefined;
    trap.times -= 1;
    return trap.does;
  }
}
