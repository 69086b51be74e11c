/**
 * The ticks of a pattern in a time zone, on the days when clocks change too: as with Vixie's cron, a time of
 * the day that the clock leaves out has its tick right after, one that it shows twice has it once, and a
 * pattern with a wildcard ticks at every interval of real time.
 */
import { CronPattern, type Face } from './cron-pattern.js';
import { type Stretch, ZoneClock } from './zone-clock.js';

/** No clock is set back by more. */
const changeMaxMs = 86_400_000;
/** A pattern that is not due for so long never is: a weekday on 29 February may wait for 40 years. */
const aheadMaxMs = 41 * 365.25 * 86_400_000;

export class Ticks {
  readonly #pattern: CronPattern;
  readonly #clock: ZoneClock;

  constructor(cron: string, timeZone: string) {
    this.#pattern = new CronPattern(cron);
    this.#clock = new ZoneClock(timeZone);
  }

  /** The first one later than `instant`. Undefined where there will be none. */
  after(instant: Date): Date | undefined {
    const after = instant.getTime();
    let shown: Face | undefined;
    for (const stretch of this.#clock.stretches(after - changeMaxMs, after + aheadMaxMs)) {
      const tick = stretch.end > after ? this.#firstIn(stretch, after, shown) : undefined;
      if (tick !== undefined) return new Date(tick);
      shown = Math.max(shown ?? Number.NEGATIVE_INFINITY, stretch.end + stretch.offsetMs);
    }
    return undefined;
  }

  /** @param shown what the clock has come to before: less is left out, or shown again */
  #firstIn(
    { start, end, offsetMs }: Stretch,
    after: number,
    shown: Face = start + offsetMs,
  ): number | undefined {
    const opens = this.#pattern.isWildcard ? start + offsetMs : shown;
    const from = start > after ? opens : Math.max(opens, after + 1 + offsetMs);
    const face = this.#pattern.firstIn(from, end + offsetMs);
    return face === undefined ? undefined : Math.max(start, face - offsetMs);
  }

  close(): void {
    this.#pattern.close();
  }
}
