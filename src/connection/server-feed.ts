/**
 * Tells which keys of one server have changed, by whomever: Redis's client-side caching in broadcast mode
 * (https://redis.io/docs/latest/develop/reference/client-side-caching/). One connection, of RESP2, redirects
 * the messages to itself: so it either tells of every change, or is lost.
 */
import { messageOf } from '../errors.js';
import type { Emit } from '../events.js';
import { invalidationsChannel } from '../keys.js';
import type { RedisSettings } from '../redis-settings.js';
import { openConnections, type RedisClient } from './redis.js';
import { isReplyError } from './refusals.js';

export interface FeedListener {
  onInvalidated(key: string): void;
  /** All keys: the server was flushed. */
  onFlushed(): void;
  /** From now on every change is told. */
  onReady(): void;
  /** Changes from now on are not told, until `onReady`. */
  onLost(): void;
}

export interface ServerFeedOptions {
  readonly settings: RedisSettings;
  /** Of the keys that are of interest. */
  readonly prefix: string;
  readonly listener: FeedListener;
  readonly emit: Emit;
}

/** A peer that is gone without a word is noticed after two of these. */
const pingEveryMs = 1_000;
/** A server that refuses to tell of changes is asked again after this. */
const refusedRetryMs = 5_000;

/** Returns what ends it. @throws ForebayError REDIS_UNAVAILABLE */
export async function startServerFeed(options: ServerFeedOptions): Promise<() => void> {
  const { feed: redis } = await openConnections({ feed: [options.settings, 'feed'] }, options.emit);
  const feed = new ServerFeed(redis, options);
  feed.start();
  return () => feed.stop();
}

class ServerFeed {
  readonly #redis: RedisClient;
  readonly #options: ServerFeedOptions;
  /** The connection that is up; what comes of an earlier one no longer counts. */
  #session: object | undefined;
  #isReady = false;
  #isWarned = false;
  #pinging: NodeJS.Timeout | undefined;
  #retrying: NodeJS.Timeout | undefined;

  constructor(redis: RedisClient, options: ServerFeedOptions) {
    this.#redis = redis;
    this.#options = options;
  }

  start(): void {
    const { listener } = this.#options;
    this.#redis.on('messageBuffer', (_channel: Buffer, message: unknown) => tell(message, listener));
    this.#redis.on('close', () => this.#lose());
    this.#redis.on('ready', () => void this.#begin());
    this.#pinging = setInterval(() => void this.#checkPeer(), pingEveryMs);
    this.#pinging.unref();
    void this.#begin();
  }

  stop(): void {
    clearInterval(this.#pinging);
    this.#lose();
    this.#redis.disconnect();
  }

  async #begin(): Promise<void> {
    const session = {};
    this.#session = session;
    try {
      await track(this.#redis, this.#options.prefix);
      if (this.#session === session) this.#found();
    } catch (error) {
      if (this.#session === session) this.#failed(session, error);
    }
  }

  #found(): void {
    this.#isReady = true;
    this.#isWarned = false;
    this.#options.listener.onReady();
  }

  #lose(): void {
    this.#session = undefined;
    clearTimeout(this.#retrying);
    if (!this.#isReady) return;
    this.#isReady = false;
    this.#options.listener.onLost();
  }

  /** A peer that is gone would keep the connection from closing for seconds more. */
  #giveUp(session: object): void {
    if (this.#session !== session) return;
    this.#lose();
    this.#redis.disconnect(true);
  }

  #failed(session: object, error: unknown): void {
    if (isReplyError(error)) {
      this.#warn(error);
      this.#retrying = setTimeout(() => this.#giveUp(session), refusedRetryMs);
      this.#retrying.unref();
    } else this.#giveUp(session);
  }

  #warn(error: Error): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    this.#options.emit({
      type: 'server.warning',
      what: `No values are kept in memory, as Redis does not tell of changes: ${messageOf(error)}`,
      advice:
        `If its user lacks the rights, add +client|id +client|tracking +subscribe &${invalidationsChannel} to its ACL, ` +
        'or connect with cache: { l1: false }.',
    });
  }

  async #checkPeer(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    const timer = setTimeout(() => this.#giveUp(session), pingEveryMs);
    try {
      await this.#redis.ping();
    } catch {
      // The connection broke meanwhile, which its own event tells.
    } finally {
      clearTimeout(timer);
    }
  }
}

async function track(redis: RedisClient, prefix: string): Promise<void> {
  const id = await redis.client('ID');
  await redis.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', 'PREFIX', prefix);
  await redis.subscribe(invalidationsChannel);
}

/** ioredis gives the array of keys as it comes; null means all. */
function tell(message: unknown, listener: FeedListener): void {
  if (Array.isArray(message)) for (const key of message) listener.onInvalidated(String(key));
  else listener.onFlushed();
}
