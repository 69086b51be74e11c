/** Processor time of a Redis server. */
import type { Redis } from 'ioredis';

/** Of the whole server since its start, in ms. */
export async function redisCpuMs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = (name: string): number => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1] ?? 0);
  return 1_000 * (seconds('used_cpu_user') + seconds('used_cpu_sys'));
}
