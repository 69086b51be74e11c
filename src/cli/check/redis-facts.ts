/** Asks Redis what `forebay check` must know. What its user may not ask is noted, and left out. */
import type { Redis } from '../../connection/client.js';
import { type ServerFacts, toServerFacts } from '../../connection/server-facts.js';
import { ServerInfo } from '../../connection/server-info.js';
import type { RedisSettings } from '../../redis-settings.js';
import { type ClockReading, readClock } from './clocks.js';
import { type Hindrances, readHindrances } from './redis-rights.js';

/** What a server is for: one may have both. */
export type Carries = 'cache' | 'queues' | 'both';

export interface RedisFacts extends ServerFacts, Hindrances {
  readonly settings: RedisSettings;
  readonly carries: Carries;
  readonly prefix: string;
  /** `REDIS_` or `QUEUE_REDIS_`. */
  readonly variables: string;
  /** `host:port`. */
  readonly address: string;
  /** The user that is signed in; undefined when the server does not tell. */
  readonly user: string | undefined;
  /** Commands whose answers are missing. */
  readonly unseen: readonly string[];
  /** Of a cluster's node. */
  readonly cluster: ClusterFacts | undefined;
  readonly clock: ClockReading | undefined;
}

export interface ClusterFacts {
  readonly state: string;
  readonly slotsOk: number;
}

export type RedisPlace = Pick<RedisFacts, 'settings' | 'carries' | 'prefix' | 'variables'>;

/** @throws what a connection that breaks throws */
export async function readRedisFacts(redis: Redis, place: RedisPlace): Promise<RedisFacts> {
  const unseen: string[] = [];
  const ask = async <T>(command: string, answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await answer;
    } catch (error) {
      if (!isRefused(error)) throw error;
      unseen.push(command);
      return undefined;
    }
  };
  const info = new ServerInfo((await ask('INFO', redis.info())) ?? '');
  const config = pairs((await ask('CONFIG GET', redis.config('GET', '*'))) as string[] | undefined);
  const user = await redis.call('ACL', 'WHOAMI').catch(() => undefined);
  const isCluster = info.text('cluster_enabled') === '1';
  const cluster = isCluster ? await ask('CLUSTER INFO', redis.call('CLUSTER', 'INFO')) : undefined;
  return {
    ...toServerFacts(info, config),
    ...place,
    address: `${redis.options.host}:${redis.options.port}`,
    user: user as string | undefined,
    unseen,
    ...(await readHindrances(redis, place.prefix)),
    cluster: cluster === undefined ? undefined : clusterFacts(String(cluster)),
    clock: await ask(
      'TIME',
      readClock(() => timeOf(redis)),
    ),
  };
}

/** Answers that say that the question is not allowed, or not known: managed servers rename commands. */
function isRefused(error: unknown): boolean {
  return error instanceof Error && /NOPERM|unknown (sub)?command|not allowed/i.test(error.message);
}

function pairs(list: readonly string[] = []): Map<string, string> {
  return new Map(
    list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1] ?? ''] as [string, string]] : [])),
  );
}

function clusterFacts(text: string): ClusterFacts {
  const info = new ServerInfo(text);
  return { state: info.text('cluster_state') ?? '', slotsOk: info.number('cluster_slots_ok') };
}

async function timeOf(redis: Redis): Promise<number> {
  const [seconds, micros] = (await redis.time()).map(Number) as [number, number];
  return seconds * 1_000 + micros / 1_000;
}
