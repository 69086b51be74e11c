/**
 * Adds the runs of schedules to their queues: once for a tick, whoever asks, and none while the one before
 * still runs.
 */
import type { Emit } from '../../events.js';
import { type LastRun, type ScheduleQueue, scheduleQueueName } from '../../queues/schedule-queue.js';
import { type WarmQueue, warmQueueName } from '../../queues/warm-queue.js';
import type { Schedule } from './schedules.js';

export interface ScheduleRunsDependencies {
  readonly schedules: ScheduleQueue;
  readonly warm: WarmQueue;
  readonly emit: Emit;
}

export class ScheduleRuns {
  readonly #schedules: ScheduleQueue;
  readonly #warm: WarmQueue;
  readonly #emit: Emit;

  constructor({ schedules, warm, emit }: ScheduleRunsDependencies) {
    this.#schedules = schedules;
    this.#warm = warm;
    this.#emit = emit;
  }

  /** The run of a tick; also when it is there already. */
  async addForTick(schedule: Schedule, tick: Date): Promise<LastRun> {
    return this.#add(schedule, idOf(schedule, tick), tick);
  }

  /** @param at when somebody asked for it */
  async addByHand(schedule: Schedule, at: Date): Promise<LastRun> {
    return this.#add(schedule, `${idOf(schedule, at)}-by-hand`, at);
  }

  async #add({ name, what }: Schedule, id: string, at: Date): Promise<LastRun> {
    const isWarming = 'warm' in what;
    const job = isWarming
      ? ((await this.#warm.add(what.warm, id)).id as string)
      : await this.#schedules.run(name, id);
    if (job !== id)
      this.#emit({ type: 'schedule.skipped', schedule: name, tick: at.toISOString(), running: job });
    return { at: at.toISOString(), queue: isWarming ? warmQueueName : scheduleQueueName, job };
  }
}

/** `nightly@2026-11-23T03.00.00Z`: BullMQ allows no colons in ids. */
function idOf({ name }: Schedule, tick: Date): string {
  return `${name}@${tick.toISOString().replaceAll(':', '.').replace('.000Z', 'Z')}`;
}
