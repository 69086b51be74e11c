/**
 * The board: forebay's own pages, and Bull Board over its queues, by HTTP. Off loopback nothing is served
 * without a login.
 */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config.js';
import { breakerOf } from '../connection/breaker.js';
import { testRedisConnection } from '../connection/health.js';
import type { Database } from '../database/database.js';
import type { Stores } from '../definitions/stores.js';
import type { Emit } from '../events.js';
import { closeQueues } from '../queues/lazy-queue.js';
import type { Resources } from '../resources.js';
import { startHeartbeat } from '../services/role/heartbeat.js';
import { Role } from '../services/role/service.js';
import { redisNeed } from '../vitals/needs.js';
import { AccessRules } from './access/rules.js';
import { readSecret } from './access/session.js';
import { BoardFacts } from './facts.js';

/** What the board needs. */
export interface BoardOptions {
  /** What `readConfig` gave. */
  readonly config: Pick<Config, 'prefix' | 'redis' | 'queueRedis' | 'board'>;
  /** What `defineStores` gave. Default: none; then the board shows nothing of what records hold. */
  readonly stores?: Stores;
  /** Reads the rows that are asked for. It stays the caller's. Default: none, and no row is looked for. */
  readonly prisma?: Database;
  /** Told of everything that happens: `logEvents(logger)`. */
  readonly emit: Emit;
}

/** forebay's own pages and Bull Board, by HTTP. */
export class BoardService extends Role {
  readonly #options: BoardOptions;
  readonly #rules: AccessRules;
  #server: Server | undefined;

  /** @throws ForebayError INVALID_CONFIG, also when it would answer off loopback without a login */
  constructor(options: BoardOptions) {
    super(options);
    this.#rules = new AccessRules(options.config.board);
    this.#options = { ...options, emit: this.emit };
  }

  /** Where the board answers, while it is started; else empty. */
  get url(): string {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    if (!address) return '';
    const { host } = this.#options.config.board;
    return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/`;
  }

  /** @throws ForebayError REDIS_UNAVAILABLE; or Node's EADDRINUSE when the port is taken @internal */
  protected async open(parts: Resources): Promise<void> {
    const { config, emit, stores, prisma: database } = this.#options;
    const { prefix } = config;
    const { connection, lanes } = await parts.connect({
      connection: [config.queueRedis, 'queue'],
      lanes: [config.redis, 'reads'],
    });
    this.vitals.need(
      redisNeed('queue redis', () => testRedisConnection(connection)),
      redisNeed('redis', () => testRedisConnection(lanes)),
    );
    // Loaded here, for other workers do without its packages.
    const { BoardQueues } = await import('./queues.js');
    const { Access } = await import('./access/access.js');
    const { createSite } = await import('./app.js');
    const { createAdaptorServer } = await import('../peers/hono.js');
    const queues = await BoardQueues.open(connection, prefix, emit);
    parts.own('queues', queues.owned, closeQueues);
    const breaker = parts.own('breaker', breakerOf(lanes, 'reads', emit), (it) => it.stop());
    const facts = new BoardFacts({ lanes, breaker, connection, prefix, queues, stores, database, emit });
    const access = new Access(this.#rules, { secret: await readSecret(connection, prefix), emit });
    startHeartbeat(parts, { role: 'board', connection, prefix, stores });
    const site = createSite({ access, facts, queues });
    const server = createAdaptorServer({ fetch: site.fetch }) as Server;
    server.listen({ host: config.board.host, port: config.board.port });
    await once(server, 'listening');
    this.#server = parts.own('server', server, leave);
  }
}

async function leave(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
