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
import { secureHeaders } from 'hono/secure-headers';
import type { Config } from '../config.js';
import { testRedisConnection } from '../connection/health.js';
import { ForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import { DeadLetterQueue } from '../queues/dead-letter-queue.js';
import { closeQueues } from '../queues/lazy-queue.js';
import { RefreshQueue } from '../queues/refresh-queue.js';
import { ScheduleQueue } from '../queues/schedule-queue.js';
import { WarmQueue } from '../queues/warm-queue.js';
import { WriteBehindQueue } from '../queues/write-behind-queue.js';
import type { Resources } from '../resources.js';
import { Role } from '../services/role/service.js';
import { redisNeed } from '../vitals/needs.js';

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

/** Bull Board over forebay's queues, by HTTP. */
export class BoardService extends Role {
  readonly #options: BoardOptions;
  #server: Server | undefined;

  /** @throws ForebayError INVALID_CONFIG when it would answer off loopback without a password */
  constructor(options: BoardOptions) {
    super(options);
    checkAccess(options.config.board);
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
    const { config, emit } = this.#options;
    const { connection } = await parts.connect({ connection: [config.queueRedis, 'worker'] });
    this.vitals.need(redisNeed('queue redis', () => testRedisConnection(connection)));
    const queues: Queues = {
      writeBehind: new WriteBehindQueue(connection, config.prefix, emit),
      deadLetters: new DeadLetterQueue(connection, config.prefix, emit),
      refresh: new RefreshQueue(connection, config.prefix, emit),
      warm: new WarmQueue(connection, config.prefix, emit),
      schedules: new ScheduleQueue(connection, config.prefix, emit),
    };
    parts.own('queues', Object.values(queues), closeQueues);
    const server = createAdaptorServer({ fetch: (await createApp(config.board, queues)).fetch }) as Server;
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

async function createApp(
  board: Config['board'],
  { writeBehind, deadLetters, refresh, warm, schedules }: Queues,
): Promise<Hono> {
  const adapter = new HonoAdapter(serveStatic);
  createBullBoard({
    queues: [
      new BullMQAdapter(await writeBehind.open(), { description: 'Flushes of lanes to the database' }),
      new BullMQAdapter(await deadLetters.open(), {
        description: 'Records that the database refused; a retry replays one',
      }),
      new BullMQAdapter(await refresh.open(), { description: 'Values computed anew before they go stale' }),
      new BullMQAdapter(await warm.open(), {
        description: 'Runs of warming: values computed before they are asked for',
      }),
      new BullMQAdapter(await schedules.open(), {
        description: 'Schedules, delayed until their next tick; promoting one runs it now',
      }),
    ],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'forebay' } },
  });
  const { user: username, password } = board;
  const isOpen = username === undefined || password === undefined;
  const app = new Hono();
  app.use(secureHeaders(), requireOwnPage);
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

const hostOf = (origin: string) => (URL.canParse(origin) ? new URL(origin).host : undefined);

const isSafeMethod = /^(GET|HEAD|OPTIONS)$/;

// A page of another site can make a browser send a form, with the password that the browser knows. Browsers
// say which page asks; who says nothing is no browser.
const requireOwnPage: MiddlewareHandler = async ({ req, text }, next) => {
  const site = req.header('sec-fetch-site');
  const origin = req.header('origin');
  const isOwn =
    site === undefined
      ? origin === undefined || hostOf(origin) === req.header('host')
      : site === 'same-origin' || site === 'none';
  return isOwn || isSafeMethod.test(req.method)
    ? next()
    : text("Only the board's own pages may do this.", 403);
};

// A page of another site can make a browser call a name that resolves to 127.0.0.1; its Host header tells.
const requireLoopbackName: MiddlewareHandler = async (context, next) => {
  const name = new URL(context.req.url).hostname.replace(/^\[|\]$/g, '');
  return loopback.has(name) ? next() : context.text('The board answers on loopback only.', 403);
};
