/** Between an app and Redis: passes all on, and may hold back what the app sends, to deliver it late. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket, connect as toServer } from 'node:net';

export class LateNetwork {
  readonly #server = createServer((app) => this.#accept(app));
  readonly #passages = new Set<Passage>();
  /** How the app's connections have ended: `ended`, or the error's code. */
  readonly ends: (string | undefined)[] = [];
  /** Redis's port. */
  target = 0;

  /** Resolves with the port for the app. */
  async start(): Promise<number> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on, of the connections that there are. */
  hold(): void {
    for (const passage of this.#passages) passage.held ??= [];
  }

  /** What was held, also of connections that the app has given up. Resolves when Redis has ended them. */
  async deliver(): Promise<void> {
    const late = [...this.#passages].filter(({ held }) => held !== undefined);
    await Promise.all(
      late.map(async ({ redis, held = [] }) => {
        const closed = redis.closed || once(redis, 'close');
        redis.end(Buffer.concat(held));
        await closed;
      }),
    );
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const { redis } of this.#passages) redis.destroy();
    await once(this.#server, 'close');
  }

  #accept(app: Socket): void {
    const redis = toServer(this.target, '127.0.0.1');
    const passage: Passage = { redis };
    this.#passages.add(passage);
    app.on('data', (data) => {
      if (passage.held === undefined) redis.write(data);
      else passage.held.push(data);
    });
    app.on('end', () => this.ends.push('ended'));
    app.on('error', ({ code }: NodeJS.ErrnoException) => this.ends.push(code));
    app.on('close', () => {
      if (passage.held === undefined) redis.destroy();
    });
    redis.on('data', (data) => app.write(data));
    redis.on('error', () => undefined); // it closes too
    redis.on('close', () => app.destroy());
  }
}

interface Passage {
  readonly redis: Socket;
  /** What the app has sent since it is held back. */
  held?: Buffer[];
}
