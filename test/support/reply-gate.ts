/** A TCP proxy before a Redis server that keeps replies back, so that a test orders what happens while they are on their way. */
import { createServer, type Server, type Socket, connect as toServer } from 'node:net';
import { redisSettings, type ServerSettings } from '../../src/redis-settings.js';

export class ReplyGate {
  readonly #server: Server;
  readonly #target: ServerSettings;
  readonly #sockets = new Set<Socket>();
  /** What begins with the word is held, and all that follows it on the same connection. */
  #word: string | undefined;
  readonly #held = new Map<Socket, Buffer[]>();
  #look: () => void = () => undefined;

  private constructor(target: ServerSettings) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** `url`: of the Redis server. */
  static async start(url: string): Promise<ReplyGate> {
    const gate = new ReplyGate(redisSettings(url));
    await new Promise<void>((resolve) => gate.#server.listen(0, '127.0.0.1', resolve));
    return gate;
  }

  get settings(): ServerSettings {
    return { ...this.#target, host: '127.0.0.1', port: (this.#server.address() as { port: number }).port };
  }

  /** Keeps back the next reply that has the word, with all that follows on its connection, until `letGo`. */
  holdAt(word: string): void {
    this.#word = word;
  }

  /** Resolves once a reply is held. */
  async held(): Promise<void> {
    if (this.#held.size > 0) return;
    await new Promise<void>((resolve) => {
      this.#look = resolve;
    });
  }

  letGo(): void {
    this.#word = undefined;
    for (const [client, pieces] of this.#held) client.write(Buffer.concat(pieces));
    this.#held.clear();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    const redis = toServer(this.#target.port, this.#target.host);
    for (const socket of [client, redis]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined); // its close follows
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        redis.destroy();
      });
    }
    client.on('data', (data) => redis.write(data));
    redis.on('data', (data) => this.#pass(client, data));
  }

  #pass(client: Socket, data: Buffer): void {
    const isHeld = this.#held.has(client) || (this.#word !== undefined && data.includes(this.#word));
    if (!isHeld) {
      client.write(data);
      return;
    }
    this.#held.set(client, [...(this.#held.get(client) ?? []), data]);
    this.#look();
  }
}
