/** How an app tells the workers of its writes. Losing one loses nothing: the sweep finds the lane. */
import { randomUUID } from 'node:crypto';
import type { RedisClient } from '../connection/redis.js';
import { wakeUpChannel } from '../keys.js';

export interface WakeUps {
  /** The lane has something to flush, in `delayMs`. */
  wake(lane: string, delayMs: number): Promise<void>;
  /** Somebody waits for the lane. */
  hurry(lane: string): Promise<void>;
}

/** A call as it is sent. */
export interface WakeUpCall {
  readonly lane: string;
  readonly delayMs: number;
  readonly isHurry: boolean;
  /** All workers hear it; under this name they add one job. */
  readonly id: string;
}

/** Of an app without BullMQ: Redis tells the workers, and these add the job. */
export class WakeUpCalls implements WakeUps {
  readonly #redis: RedisClient;
  readonly #channel: string;

  constructor(redis: RedisClient, prefix: string) {
    this.#redis = redis;
    this.#channel = wakeUpChannel(prefix);
  }

  async wake(lane: string, delayMs: number): Promise<void> {
    await this.#send({ lane, delayMs, isHurry: false, id: randomUUID() });
  }

  async hurry(lane: string): Promise<void> {
    await this.#send({ lane, delayMs: 0, isHurry: true, id: randomUUID() });
  }

  async #send({ lane, delayMs, isHurry, id }: WakeUpCall): Promise<void> {
    await this.#redis.publish(this.#channel, `${lane} ${delayMs} ${isHurry ? 1 : 0} ${id}`);
  }
}

export function parseWakeUpCall(message: string): WakeUpCall {
  const [lane = '', delayMs, isHurry, id = ''] = message.split(' ');
  return { lane, delayMs: Number(delayMs), isHurry: isHurry === '1', id };
}
