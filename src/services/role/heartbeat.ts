/** A process tells now and then that it lives: see the board's page of processes. */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { beatEveryMs, forgetProcess, listProcess, tellProcess } from '../../connection/processes.js';
import type { RedisClient } from '../../connection/redis.js';
import type { Stores } from '../../definitions/stores.js';
import { releaseOfStores } from '../../definitions/stores-release.js';
import type { Resources } from '../../resources.js';
import { every } from './every.js';

export interface HeartbeatOptions {
  /** What the process does, in a word. */
  readonly role: string;
  /** That of the queues. */
  readonly connection: RedisClient;
  readonly prefix: string;
  readonly stores?: Stores | undefined;
}

const { version } = createRequire(import.meta.url)('forebay/package.json') as { version: string };
const samplesMs = 20;
const forgetDeadlineMs = 300;
const listEveryMs = 30_000;

/** One that is lost is no trouble: the key lives for some of them. */
export function startHeartbeat(
  parts: Resources,
  { role, connection, prefix, stores }: HeartbeatOptions,
): void {
  const id = `${role} ${hostname()} ${process.pid} ${randomBytes(3).toString('hex')}`;
  const startedAt = new Date().toISOString();
  const release = stores ? releaseOfStores(stores) : '';
  const delay = monitorEventLoopDelay({ resolution: samplesMs });
  delay.enable();
  const facts = () => ({ role, host: hostname(), pid: process.pid, version, release, startedAt });
  const beat = async (): Promise<void> => {
    const lagMs = Math.max(0, Math.round(delay.percentile(99) / 1e6) - samplesMs);
    delay.reset();
    const now = { beatAt: new Date().toISOString(), lagMs, memoryBytes: process.memoryUsage.rss() };
    await tellProcess(connection, prefix, id, { ...facts(), ...now }).catch(() => undefined);
  };
  parts.own(
    'heartbeat',
    id,
    async () => {
      delay.disable();
      await forgetProcess(connection, prefix, id).catch(() => undefined);
    },
    forgetDeadlineMs,
  );
  every(parts, 'heartbeats', beatEveryMs, beat);
  every(parts, 'list of processes', listEveryMs, () =>
    listProcess(connection, prefix, id).catch(() => undefined),
  );
}
