/**
 * The way of writes that are to be on a replica or on disk when they return: a connection of their own, made
 * when the first comes, for Redis answers nothing else on it while it waits.
 */
import { WriteBuffer } from '../../buffer/write-buffer.js';
import { isCluster } from '../../connection/client.js';
import { closeConnections, type RedisClient } from '../../connection/redis.js';
import { readServerInfos, type ServerInfo } from '../../connection/server-info.js';
import { SharedWait } from '../../connection/shared-wait.js';
import type { Durability } from '../../definitions/record.js';
import { ForebayError } from '../../errors.js';
import { WriteRoute } from './write-route.js';

/** What Redis itself waits for. */
export type ConfirmedDurability = Extract<Durability, 'replicated' | 'fsynced'>;

interface OpenRoute {
  readonly redis: RedisClient;
  readonly route: WriteRoute;
  readonly server: ServerInfo | undefined;
  readonly waits: Record<ConfirmedDurability, SharedWait>;
}

/** How long a write waits for a replica or a disk. */
const confirmMaxMs = 1_000;

export class DurableRoute {
  readonly #connect: () => Promise<RedisClient>;
  readonly #prefix: string;
  #opening: Promise<OpenRoute> | undefined;

  constructor(connect: () => Promise<RedisClient>, prefix: string) {
    this.#connect = connect;
    this.#prefix = prefix;
  }

  /** @throws ForebayError INVALID_CONFIG when this Redis can't do it, REDIS_UNAVAILABLE */
  async open(durability: ConfirmedDurability): Promise<WriteRoute> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    const { route, server } = await this.#opening;
    if (durability === 'fsynced') checkFsync(server);
    return route;
  }

  /**
   * Resolves once what the route has accepted so far is as safe as that, else with what is missing. To be
   * called in the turn in which the write was answered: another connection would know nothing of it.
   */
  async missing(durability: ConfirmedDurability): Promise<string | undefined> {
    return (await this.#opening)?.waits[durability].join(confirmMaxMs);
  }

  async close(deadlineMs: number): Promise<void> {
    const route = await this.#opening?.catch(() => undefined);
    if (route) await closeConnections({ durable: route.redis }, deadlineMs);
  }

  async #open(): Promise<OpenRoute> {
    const redis = await this.#connect();
    if (isCluster(redis)) {
      redis.disconnect();
      throw notInCluster();
    }
    const [server] = await readServerInfos(redis);
    return {
      redis,
      route: new WriteRoute({ redis, buffer: new WriteBuffer(redis, this.#prefix) }),
      server,
      waits: {
        replicated: new SharedWait({
          redis,
          ask: (ms) => isReplicated(redis, ms),
          look: () => hasReplica(redis),
          lack: 'no replica has it',
        }),
        fsynced: new SharedWait({ redis, ask: (ms) => isFsynced(redis, ms), lack: 'it is not on the disk' }),
      },
    };
  }
}

/** https://redis.io/docs/latest/commands/wait/ */
async function isReplicated(redis: RedisClient, ms: number): Promise<boolean> {
  return ((await redis.call('WAIT', '1', String(ms))) as number) > 0;
}

/** Whether one keeps up: it tells every second how far it is. */
async function hasReplica(redis: RedisClient): Promise<boolean> {
  const [server] = await readServerInfos(redis);
  const replicas = Array.from({ length: server?.number('connected_slaves') ?? 0 }, (_, i) =>
    server?.text(`slave${i}`),
  );
  return replicas.some((replica) => /state=online.*lag=[01]\b/.test(replica ?? ''));
}

/** https://redis.io/docs/latest/commands/waitaof/ */
async function isFsynced(redis: RedisClient, ms: number): Promise<boolean> {
  const [local] = (await redis.call('WAITAOF', '1', '0', String(ms))) as [number, number];
  return local > 0;
}

function checkFsync(server: ServerInfo | undefined): void {
  const version = server?.text('redis_version') ?? '';
  if (version.localeCompare('7.2', 'en', { numeric: true }) < 0) {
    throw new ForebayError(
      'INVALID_CONFIG',
      `Durability 'fsynced' needs Redis 7.2 or newer; this one is ${version}. Use another server, or another durability.`,
      { context: { version } },
    );
  }
  if (server?.number('aof_enabled') === 1) return;
  throw new ForebayError(
    'INVALID_CONFIG',
    "Durability 'fsynced' needs an append-only file. Set appendonly to yes, or use another durability.",
  );
}

/** WAIT asks about the writes of its own connection, and a cluster has one for each node. */
function notInCluster(): ForebayError {
  return new ForebayError(
    'INVALID_CONFIG',
    "In a cluster a write can't wait for replicas or disks. Use durability 'memory' or 'database'.",
  );
}
