/** Has each schedule tick: node-cron gives the beat, and at each it is looked which schedules have a tick. */
import type { ScheduledTask } from 'node-cron';
import type { Emit } from '../../events.js';
import { createTask } from '../../peers/node-cron.js';
import type { Schedule, Schedules } from './schedules.js';
import { Ticks } from './ticks.js';

export interface CronTasksOptions {
  readonly schedules: Schedules;
  readonly onTick: (schedule: Schedule, tick: Date) => Promise<unknown>;
  readonly emit: Emit;
}

/**
 * What node-cron says on the console: its missed beats are caught up by the standing jobs, and its errors are
 * told as events.
 */
const silence = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
};

const everySecond = '* * * * * *';
const everyMinute = '* * * * *';

interface Task {
  readonly schedule: Schedule;
  readonly ticks: Ticks;
  next: Date | undefined;
}

export class CronTasks {
  readonly #tasks: ReadonlyMap<string, Task>;
  readonly #beat: ScheduledTask;
  readonly #onTick: CronTasksOptions['onTick'];
  readonly #emit: Emit;

  constructor({ schedules, onTick, emit }: CronTasksOptions) {
    const all = [...schedules.values()];
    this.#tasks = new Map(
      all.map((schedule) => [
        schedule.name,
        { schedule, ticks: new Ticks(schedule.cron, schedule.timeZone), next: undefined },
      ]),
    );
    this.#onTick = onTick;
    this.#emit = emit;
    this.#beat = createTask(
      all.some(({ cron }) => cron.trim().split(/\s+/).length === 6) ? everySecond : everyMinute,
      ({ date }) => this.#tickAll(date),
      { timezone: 'UTC', suppressMissedWarning: true, logger: silence },
    );
  }

  start(): void {
    for (const task of this.#tasks.values()) task.next = task.ticks.after(new Date());
    void this.#beat.start();
  }

  async stop(): Promise<void> {
    await this.#beat.destroy();
    for (const { ticks } of this.#tasks.values()) ticks.close();
  }

  /** The first tick from now on. Undefined for a schedule that is not among these, or will have none. */
  nextTick(name: string): Date | undefined {
    return this.#tasks.get(name)?.ticks.after(new Date());
  }

  async #tickAll(beat: Date): Promise<void> {
    const due = [...this.#tasks.values()].filter(({ next }) => next !== undefined && next <= beat);
    await Promise.all(due.map((task) => this.#tick(task, beat)));
  }

  /** A tick whose own beat was missed is the standing job's. */
  async #tick(task: Task, beat: Date): Promise<void> {
    const { schedule, ticks, next } = task;
    task.next = ticks.after(beat);
    if (next?.getTime() !== beat.getTime()) return;
    try {
      await this.#onTick(schedule, beat);
    } catch (error) {
      this.#emit({ type: 'schedule.failed', schedule: schedule.name, tick: beat.toISOString(), error });
    }
  }
}
