/** The board: Bull Board over forebay's queues. Off loopback it never answers without a password. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { createAdaptorServer } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono, type MiddlewareHandler } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import type { Config } from '../config.js';
import { openConnections, type RedisClient } from '../connection/redis.js';
import { ForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import { DeadLetterQueue } from '../queues/dead-letter-queue.js';
import { RefreshQueue } from '../queues/refresh-queue.js';
import { ScheduleQueue } from '../queues/schedule-queue.js';
import { WarmQueue } from '../queues/warm-queue.js';
import { WriteBehindQueue } from '../queues/write-behind-queue.js';
import { type Service, withinDeadline } from '../services/role/service.js';

/** What the board needs. */
export interface BoardOptions {
  /** What `readConfig` gave. */
  readonly config: Pick<Config, 'prefix' | 'queueRedis' | 'board'>;
  /** Told of everything that happens: `logEvents(logger)`. */
  readonly emit: Emit;
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

interface Queues {
  readonly writeBehind: WriteBehindQueue;
  readonly deadLetters: DeadLetterQueue;
  readonly refresh: RefreshQueue;
  readonly warm: WarmQueue;
  readonly schedules: ScheduleQueue;
}

/** What there is while the board answers. */
interface Running {
  readonly server: Server;
  readonly queues: Queues;
  readonly connection: RedisClient;
}

/** Bull Board over forebay's queues, by HTTP. */
export class BoardService implements Service {
  readonly #options: BoardOptions;
  #running: Running | undefined;

  /** @throws ForebayError INVALID_CONFIG when it would answer off loopback without a password */
  constructor(options: BoardOptions) {
    checkAccess(options.config.board);
    this.#options = options;
  }

  /** Where the board answers, once it is started; empty before. */
  get url(): string {
    const address = this.#running?.server.address() as AddressInfo | null | undefined;
    if (!address) return '';
    const { host } = this.#options.config.board;
    return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/`;
  }

  /** Begins to work. @throws ForebayError REDIS_UNAVAILABLE; or Node's EADDRINUSE when the port is taken */
  async start(): Promise<void> {
    const { config, emit } = this.#options;
    const { connection } = await openConnections({ connection: [config.queueRedis, 'worker'] }, emit);
    const queues: Queues = {
      writeBehind: new WriteBehindQueue(connection, config.prefix, emit),
      deadLetters: new DeadLetterQueue(connection, config.prefix, emit),
      refresh: new RefreshQueue(connection, config.prefix, emit),
      warm: new WarmQueue(connection, config.prefix, emit),
      schedules: new ScheduleQueue(connection, config.prefix, emit),
    };
    const server = createAdaptorServer({ fetch: createApp(config.board, queues).fetch }) as Server;
    this.#running = { server, queues, connection };
    server.listen({ host: config.board.host, port: config.board.port });
    try {
      await once(server, 'listening');
    } catch (error) {
      await this.stop(1_000);
      throw error;
    }
  }

  /** Ends it: what is in hand may take `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    if (!this.#running) return;
    const { server, queues, connection } = this.#running;
    server.closeAllConnections();
    server.close();
    await withinDeadline(Promise.all(Object.values(queues).map((queue) => queue.close())), deadlineMs);
    connection.disconnect();
  }
}

function createApp(
  board: Config['board'],
  { writeBehind, deadLetters, refresh, warm, schedules }: Queues,
): Hono {
  const adapter = new HonoAdapter(serveStatic);
  createBullBoard({
    queues: [
      new BullMQAdapter(writeBehind.queue, { description: 'Flushes of lanes to the database' }),
      new BullMQAdapter(deadLetters.queue, {
        description: 'Records that the database refused; a retry replays one',
      }),
      new BullMQAdapter(refresh.queue, { description: 'Values computed anew before they go stale' }),
      new BullMQAdapter(warm.queue, {
        description: 'Runs of warming: values computed before they are asked for',
      }),
      new BullMQAdapter(schedules.queue, {
        description: 'Schedules, delayed until their next tick; promoting one runs it now',
      }),
    ],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'forebay' } },
  });
  const { user: username, password } = board;
  const isOpen = username === undefined || password === undefined;
  const app = new Hono();
  app.use(isOpen ? requireLoopbackName : basicAuth({ username, password, realm: 'forebay' }));
  app.route('/', adapter.registerPlugin());
  return app;
}

function checkAccess({ host, password, user }: Config['board']): void {
  if ((user === undefined) !== (password === undefined)) {
    throw new ForebayError('INVALID_CONFIG', 'Set both of BOARD_USER and BOARD_PASSWORD, or neither.');
  }
  if (loopback.has(host) || password !== undefined) return;
  throw new ForebayError(
    'INVALID_CONFIG',
    `The board would answer to everyone on ${host}. Set BOARD_USER and BOARD_PASSWORD, or BOARD_HOST=127.0.0.1.`,
  );
}

// A page of another site can make a browser call a name that resolves to 127.0.0.1; its Host header tells.
const requireLoopbackName: MiddlewareHandler = async (context, next) => {
  const name = new URL(context.req.url).hostname.replace(/^\[|\]$/g, '');
  return loopback.has(name) ? next() : context.text('The board answers on loopback only.', 403);
};
