/** Looks at the Redis it is given, and tells what about it endangers accepted writes. */

import { ForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import type { RedisClient } from './client.js';

/** LPOP with a count is of 6.2. */
const versionMin = [6, 2] as const;

export interface ServerFacts {
  readonly version: string;
  readonly maxmemoryPolicy: string | undefined;
  readonly isAppendOnly: boolean;
  readonly hasSnapshots: boolean;
  readonly role: string | undefined;
}

export interface ServerWarning {
  readonly what: string;
  readonly advice: string;
}

/**
 * Emits a warning for each setting that endangers accepted writes.
 * @throws ForebayError INVALID_CONFIG when the server can't run forebay at all
 */
export async function checkServer(redis: RedisClient, emit: Emit): Promise<void> {
  const facts = await readServerFacts(redis);
  const [major = 0, minor = 0] = facts.version.split('.').map(Number);
  if (major < versionMin[0] || (major === versionMin[0] && minor < versionMin[1])) {
    throw new ForebayError(
      'INVALID_CONFIG',
      `This is Redis ${facts.version}; forebay needs ${versionMin.join('.')} or newer. Update the server.`,
    );
  }
  if (facts.role === 'slave') {
    throw new ForebayError(
      'INVALID_CONFIG',
      'This Redis is a replica and takes no writes. Connect to its primary.',
    );
  }
  for (const warning of serverWarnings(facts)) emit({ type: 'server.warning', ...warning });
}

export function serverWarnings(facts: ServerFacts): ServerWarning[] {
  const warnings: ServerWarning[] = [];
  if (facts.maxmemoryPolicy?.startsWith('allkeys-')) {
    warnings.push({
      what: `maxmemory-policy is ${facts.maxmemoryPolicy}: RedisClient may evict accepted writes before they are in the database.`,
      advice: 'Set it to noeviction (or to volatile-lru, when the job queues live on another server).',
    });
  }
  if (!facts.isAppendOnly) {
    warnings.push({
      what: facts.hasSnapshots
        ? 'appendonly is off: a crash of Redis loses what was accepted since the last snapshot.'
        : 'appendonly is off and there are no snapshots: a crash of Redis loses every accepted write.',
      advice: 'Set appendonly yes and appendfsync everysec.',
    });
  }
  return warnings;
}

/** Managed servers may refuse CONFIG; INFO tells most of it. */
async function readServerFacts(redis: RedisClient): Promise<ServerFacts> {
  const info = await redis.info();
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1];
  return {
    version: field('redis_version') ?? '0',
    maxmemoryPolicy: field('maxmemory_policy'),
    isAppendOnly: field('aof_enabled') === '1',
    hasSnapshots: Number(field('rdb_last_save_time') ?? 0) > 0 && field('rdb_last_bgsave_status') === 'ok',
    role: field('role'),
  };
}
