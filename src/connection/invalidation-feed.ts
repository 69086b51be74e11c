/**
 * Tells which keys have changed, by whomever: Redis's client-side caching in broadcast mode
 * (https://redis.io/docs/latest/develop/reference/client-side-caching/). One connection, of RESP2, redirects the messages to itself: so it
 * either tells of every change, or is lost.
 */
import type { Redis } from 'ioredis';
import type { RedisSettings } from '../config.js';
import type { Emit } from '../events.js';
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
  /** Of the keys that are of interest. */
  readonly prefix: string;
  readonly listener: FeedListener;
  readonly emit: Emit;
}

const channel = '__redis__:invalidate';
/** A peer that is gone without a word is noticed after two of these. */
const pingEveryMs = 1_000;

/** Returns what ends it. @throws ForebayError REDIS_UNAVAILABLE */
export async function startInvalidationFeed({
  settings,
  prefix,
  listener,
  emit,
}: FeedOptions): Promise<() => void> {
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

async function track(feed: Redis, prefix: string): Promise<void> {
  const id = await feed.client('ID');
  await feed.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', 'PREFIX', prefix);
  await feed.subscribe(channel);
}

/** ioredis gives the array of keys as it comes; null means all. */
function tell(message: unknown, listener: FeedListener): void {
  if (Array.isArray(message)) for (const key of message) listener.onInvalidated(String(key));
  else listener.onFlushed();
}

async function checkPeer(feed: Redis, listener: FeedListener): Promise<void> {
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
