/** What makes an accepted write safer than Redis's own persistence does: a replica that has it, or a disk. */
import type { Lane } from '../buffer/lane.js';
import { isCluster } from '../connection/client.js';
import type { RedisClient } from '../connection/redis.js';
import { ForebayError, messageOf } from '../errors.js';
import type { WritePlan } from './write-options.js';

/** Redis waits no longer for a replica or a disk; other writes of this process wait meanwhile. */
const confirmMaxMs = 1_000;

export function needsConfirmation({ durability }: WritePlan): boolean {
  return durability === 'replicated' || durability === 'fsynced';
}

/** WAIT asks about the writes of its own connection, and a cluster has one for each node. */
export function confirmationProblem(redis: RedisClient): ForebayError | undefined {
  if (!isCluster(redis)) return undefined;
  return new ForebayError(
    'INVALID_CONFIG',
    "In a cluster a write can't wait for replicas or disks. Use durability 'memory' or 'database'.",
  );
}

/**
 * Waits until all writes of this connection are as safe as is asked for.
 * WAIT: https://redis.io/docs/latest/commands/wait/, WAITAOF: https://redis.io/docs/latest/commands/waitaof/
 * @throws Error that says what is missing
 */
export async function confirmWrites(redis: RedisClient, durability: 'replicated' | 'fsynced'): Promise<void> {
  if (durability === 'replicated') {
    const replicas = (await redis.call('WAIT', 1, confirmMaxMs)) as number;
    if (replicas < 1) throw new Error(`no replica has it within ${confirmMaxMs} ms`);
    return;
  }
  const [fsynced] = (await redis.call('WAITAOF', 1, 0, confirmMaxMs)) as [number, number];
  if (fsynced < 1) throw new Error(`it is not on disk within ${confirmMaxMs} ms`);
}

/** The write is accepted all the same. */
export function durabilityNotMet(
  lane: Lane,
  version: string,
  durability: WritePlan['durability'],
  cause: unknown,
): ForebayError {
  return new ForebayError(
    'DURABILITY_NOT_MET',
    `The write is accepted, but not "${durability}": ${reasonOf(cause)}. It must not be repeated for that.`,
    { cause, context: { lane: lane.name, version: BigInt(version), durability } },
  );
}

function reasonOf(cause: unknown): string {
  const message = messageOf(cause);
  return /unknown command/i.test(message) ? 'WAITAOF takes Redis 7.2 or newer' : message;
}
