/**
 * Tells which keys have changed, by whomever: Redis's client-side caching in broadcast mode
 * (https://redis.io/docs/latest/develop/reference/client-side-caching/). One connection, of RESP2, redirects the messages to itself: so it
 * either tells of every change, or is lost.
 */
import { Cluster } from 'ioredis';
import type { Emit } from '../events.js';
import type { ClusterSettings, RedisSettings } from '../redis-settings.js';
import { mastersOf, type RedisClient } from './client.js';
import { openConnections } from './redis.js';

export interface FeedListener {
  onInvalidated(key: string): void;
  /** All keys: the server was flushed. */
  onFlushed(): void;
  /** From now on every change is told. */
  onReady(): void;
  /** Changes from now on are not told, until `onReady`. */
  onLost(): void;
}

export interface FeedOptions {
  readonly settings: RedisSettings;
  /** Reads the keys. In a cluster, each server that it may read from is listened to. */
  readonly redis: RedisClient;
  /** Of the keys that are of interest. */
  readonly prefix: string;
  readonly listener: FeedListener;
  readonly emit: Emit;
}

const channel = '__redis__:invalidate';
const topologyEvents = ['+node', '-node', 'refresh'] as const;
/** A peer that is gone without a word is noticed after two of these. */
const pingEveryMs = 1_000;

/** Returns what ends it. @throws ForebayError REDIS_UNAVAILABLE */
export async function startInvalidationFeed(options: FeedOptions): Promise<() => void> {
  const { settings, redis } = options;
  if (!('nodes' in settings && redis instanceof Cluster)) return startServerFeed(options);
  const feed = new ClusterFeed(settings, redis, options);
  await feed.start();
  return () => feed.stop();
}

type ServerFeedOptions = Omit<FeedOptions, 'redis'>;

async function startServerFeed({ settings, prefix, listener, emit }: ServerFeedOptions): Promise<() => void> {
  const { feed } = await openConnections({ feed: [settings, 'feed'] }, emit);
  const begin = (): void => void track(feed, prefix).then(listener.onReady, () => feed.disconnect(true));
  feed.on('messageBuffer', (_channel: Buffer, message: unknown) => tell(message, listener));
  feed.on('close', listener.onLost);
  feed.on('ready', begin);
  begin();
  const timer = setInterval(() => void checkPeer(feed, listener), pingEveryMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    listener.onLost();
    feed.disconnect();
  };
}

async function track(feed: RedisClient, prefix: string): Promise<void> {
  const id = await feed.client('ID');
  await feed.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', 'PREFIX', prefix);
  await feed.subscribe(channel);
}

/** ioredis gives the array of keys as it comes; null means all. */
function tell(message: unknown, listener: FeedListener): void {
  if (Array.isArray(message)) for (const key of message) listener.onInvalidated(String(key));
  else listener.onFlushed();
}

async function checkPeer(feed: RedisClient, listener: FeedListener): Promise<void> {
  if (feed.status !== 'ready') return;
  const timer = setTimeout(() => {
    listener.onLost();
    feed.disconnect(true);
  }, pingEveryMs);
  try {
    await feed.ping();
  } catch {
    // The connection broke meanwhile, which its own event tells.
  } finally {
    clearTimeout(timer);
  }
}

interface ServerFeed {
  isReady: boolean;
  /** It is connected anew with the next look. */
  hasFailed: boolean;
  stop(): void;
}

/** A feed for each master: changes are told while all of them are ready. */
class ClusterFeed {
  readonly #settings: ClusterSettings;
  readonly #cluster: Cluster;
  readonly #options: ServerFeedOptions;
  readonly #feeds = new Map<string, ServerFeed>();
  readonly #follow = (): void => void this.#sync().catch(() => undefined); // the next look comes with the next event
  #isReady = false;

  constructor(settings: ClusterSettings, cluster: Cluster, options: ServerFeedOptions) {
    this.#settings = settings;
    this.#cluster = cluster;
    this.#options = options;
  }

  async start(): Promise<void> {
    for (const event of topologyEvents) this.#cluster.on(event, this.#follow);
    try {
      await this.#sync();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  stop(): void {
    for (const event of topologyEvents) this.#cluster.off(event, this.#follow);
    for (const address of this.#feeds.keys()) this.#remove(address);
    this.#tell();
  }

  /** A server that is new is unheard from this turn on, so before its first answer. */
  async #sync(): Promise<void> {
    const masters = mastersOf(this.#cluster).map(({ options: { host = '', port = 0 } }) => ({ host, port }));
    const addresses = new Map(masters.map((master) => [`${master.host}:${master.port}`, master]));
    for (const address of this.#feeds.keys()) if (!addresses.has(address)) this.#remove(address);
    const added = [...addresses].filter(([address]) => this.#feeds.get(address)?.hasFailed !== false);
    const adding = Promise.all(added.map(([address, { host, port }]) => this.#add(address, host, port)));
    this.#tell();
    await adding;
  }

  async #add(address: string, host: string, port: number): Promise<void> {
    const { nodes: _, ...access } = this.#settings;
    const feed: ServerFeed = { isReady: false, hasFailed: false, stop: () => undefined };
    this.#feeds.set(address, feed);
    const set = (isReady: boolean): void => {
      feed.isReady = isReady;
      this.#tell();
    };
    try {
      const stop = await startServerFeed({
        ...this.#options,
        settings: { ...access, host, port },
        listener: { ...this.#options.listener, onReady: () => set(true), onLost: () => set(false) },
      });
      if (this.#feeds.get(address) === feed) feed.stop = stop;
      else stop();
    } catch (error) {
      feed.hasFailed = true;
      throw error;
    }
  }

  #remove(address: string): void {
    const feed = this.#feeds.get(address);
    this.#feeds.delete(address);
    feed?.stop();
  }

  #tell(): void {
    const isReady = this.#feeds.size > 0 && [...this.#feeds.values()].every((feed) => feed.isReady);
    if (isReady === this.#isReady) return;
    this.#isReady = isReady;
    if (isReady) this.#options.listener.onReady();
    else this.#options.listener.onLost();
  }
}
