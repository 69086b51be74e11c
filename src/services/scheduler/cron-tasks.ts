/** node-cron's tasks: one for each schedule. */
import { createTask, type ScheduledTask } from 'node-cron';
import type { Emit } from '../../events.js';
import type { Schedule, Schedules } from './schedules.js';

export interface CronTasksOptions {
  readonly schedules: Schedules;
  readonly onTick: (schedule: Schedule, tick: Date) => Promise<unknown>;
  readonly emit: Emit;
}

/**
 * What node-cron says on the console: its missed ticks are caught up by the standing jobs, and its errors are
 * told as events.
 */
const silence = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
};

export class CronTasks {
  readonly #tasks: ReadonlyMap<string, ScheduledTask>;

  constructor({ schedules, onTick, emit }: CronTasksOptions) {
    const tasks = [...schedules.values()].map((schedule): [string, ScheduledTask] => [
      schedule.name,
      createTask(
        schedule.cron,
        async ({ date }) => {
          try {
            await onTick(schedule, date);
          } catch (error) {
            emit({ type: 'schedule.failed', schedule: schedule.name, tick: date.toISOString(), error });
          }
        },
        { timezone: schedule.timeZone, name: schedule.name, suppressMissedWarning: true, logger: silence },
      ),
    ]);
    this.#tasks = new Map(tasks);
  }

  start(): void {
    for (const task of this.#tasks.values()) void task.start();
  }

  async stop(): Promise<void> {
    for (const task of this.#tasks.values()) await task.destroy();
  }

  /** The first tick from now on. Undefined for a schedule that is not among these, or will have none. */
  nextTick(name: string): Date | undefined {
    return this.#tasks.get(name)?.getNextRun() ?? undefined;
  }
}
