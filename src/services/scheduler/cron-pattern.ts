/** A pattern of cron on the face of a clock, read and matched by node-cron. */
import type { ScheduledTask } from 'node-cron';
import { createTask, parse } from '../../peers/node-cron.js';

/** What a clock shows, as if it were UTC, in ms. */
export type Face = number;

const dayMs = 86_400_000;

export class CronPattern {
  /** Whether it means "at every interval" rather than a time of the day: a `*` in its minutes or hours. */
  readonly isWildcard: boolean;
  /** Never started: it tells which days match. */
  readonly #matcher: ScheduledTask;
  /** In ms since midnight, ascending. */
  readonly #timesOfDay: readonly number[];

  constructor(cron: string) {
    const { second, minute, hour } = parse(cron);
    this.isWildcard = hasWildcard(cron);
    this.#matcher = createTask(cron, () => undefined, { timezone: 'UTC' });
    this.#timesOfDay = hour
      .flatMap((h) => minute.flatMap((m) => second.map((s) => ((h * 60 + m) * 60 + s) * 1_000)))
      .sort((a, b) => a - b);
  }

  /** The first face that matches, of those from `from` on and before `before`. */
  firstIn(from: Face, before: Face): Face | undefined {
    for (let day = from - (from % dayMs); day < before; day += dayMs) {
      const time = this.#timesOfDay.find((it) => day + it >= from);
      if (time === undefined || !this.#matchesDay(day)) continue;
      return day + time < before ? day + time : undefined;
    }
    return undefined;
  }

  #matchesDay(day: Face): boolean {
    return this.#matcher.match(new Date(day + (this.#timesOfDay[0] as number)));
  }

  close(): void {
    void this.#matcher.destroy();
  }
}

function hasWildcard(cron: string): boolean {
  if (cron.trim().toLowerCase() === '@hourly') return true;
  const [hours = '', minutes = ''] = cron.trim().split(/\s+/).slice(0, -3).reverse();
  return hours.includes('*') || minutes.includes('*');
}
