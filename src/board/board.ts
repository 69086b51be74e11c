/** The board: Bull Board over forebay's queues. Off loopback it never answers without a password. */
import { timingSafeEqual } from 'node:crypto';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Config } from '../config.js';
import { openConnections } from '../connection/redis.js';
import { ForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import { WriteBehindQueue } from '../queues.js';
import { type Service, withinDeadline } from '../services/service.js';

export interface BoardOptions {
  readonly config: Pick<Config, 'prefix' | 'queueRedis' | 'board'>;
  readonly emit: Emit;
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

export class BoardService implements Service {
  readonly #options: BoardOptions;
  readonly #server: FastifyInstance = fastify();
  /** Where the board answers, once it is started. */
  url = '';

  /** @throws ForebayError INVALID_CONFIG when it would answer off loopback without a password */
  constructor(options: BoardOptions) {
    checkAccess(options.config.board);
    this.#options = options;
  }

  /** @throws ForebayError REDIS_UNAVAILABLE; or Node's EADDRINUSE when the port is taken */
  async start(): Promise<void> {
    const { config, emit } = this.#options;
    const { board } = config;
    const { queues } = await openConnections({ queues: [config.queueRedis, 'worker'] }, emit);
    const queue = new WriteBehindQueue(queues, config.prefix, emit);
    this.#server.addHook('onClose', async () => {
      await queue.close();
      queues.disconnect();
    });
    this.#server.addHook(
      'onRequest',
      board.password === undefined ? requireLoopbackName : requirePassword(board),
    );
    await this.#server.register(createPlugin(queue));
    this.url = await this.#server.listen({ host: board.host, port: board.port });
  }

  async stop(deadlineMs: number): Promise<void> {
    await withinDeadline(this.#server.close(), deadlineMs);
  }
}

function createPlugin(queue: WriteBehindQueue): ReturnType<FastifyAdapter['registerPlugin']> {
  const adapter = new FastifyAdapter();
  adapter.setBasePath('/');
  createBullBoard({
    queues: [new BullMQAdapter(queue.queue, { description: 'Flushes of lanes to the database' })],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'forebay' } },
  });
  return adapter.registerPlugin();
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

function requirePassword({ user, password }: Config['board']) {
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (isEqual(request.headers.authorization ?? '', expected)) return;
    await reply
      .code(401)
      .header('www-authenticate', 'Basic realm="forebay"')
      .send('A user name and password are needed.');
  };
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

// A page of another site can make a browser call a name that resolves to 127.0.0.1; its Host header tells.
async function requireLoopbackName(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const name = request.hostname.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  if (!loopback.has(name)) await reply.code(403).send('The board answers on loopback only.');
}
