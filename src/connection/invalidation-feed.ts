/**
 * Tells which keys have changed, by whomever: of the one server that there is, or of all masters of a
 * cluster.
 */
import { Cluster } from 'ioredis';
import type { ClusterSettings } from '../redis-settings.js';
import { mastersOf, type RedisClient } from './client.js';
import { type ServerFeedOptions, startServerFeed } from './server-feed.js';

export interface FeedOptions extends ServerFeedOptions {
  /** Reads the keys. In a cluster, each server that it may read from is listened to. */
  readonly redis: RedisClient;
}

const topologyEvents = ['+node', '-node', 'refresh'] as const;

/** Returns what ends it. @throws ForebayError REDIS_UNAVAILABLE */
export async function startInvalidationFeed(options: FeedOptions): Promise<() => void> {
  const { settings, redis } = options;
  if (!('nodes' in settings && redis instanceof Cluster)) return startServerFeed(options);
  const feed = new ClusterFeed(settings, redis, options);
  await feed.start();
  return () => feed.stop();
}

interface MasterFeed {
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
  readonly #feeds = new Map<string, MasterFeed>();
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
    const feed: MasterFeed = { isReady: false, hasFailed: false, stop: () => undefined };
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
