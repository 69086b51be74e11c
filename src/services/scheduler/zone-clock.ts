/** The clock of a time zone. */

/** Real time, in ms, during which a clock is not changed: it shows `start + offsetMs` to `end + offsetMs`. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly offsetMs: number;
}

const secondMs = 1_000;
const dayMs = 86_400_000;

export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** Of a day at most each: nobody needs to know a change before it is near. */
  *stretches(from: number, until: number): Generator<Stretch> {
    let start = from - (from % secondMs);
    let offsetMs = this.#offsetAt(start);
    while (start < until) {
      const offsetThen = this.#offsetAt(start + dayMs);
      const end = offsetThen === offsetMs ? start + dayMs : this.#changeIn(start, start + dayMs, offsetMs);
      yield { start, end, offsetMs };
      start = end;
      offsetMs = offsetThen;
    }
  }

  /** The second at which the clock is changed, where it is changed once in between. */
  #changeIn(start: number, end: number, offsetMs: number): number {
    let [before, after] = [start, end];
    while (after - before > secondMs) {
      const middle = before + Math.floor((after - before) / 2 / secondMs) * secondMs;
      if (this.#offsetAt(middle) === offsetMs) before = middle;
      else after = middle;
    }
    return after;
  }

  #offsetAt(instant: number): number {
    const parts = this.#format.formatToParts(instant);
    const of = (type: Intl.DateTimeFormatPartTypes): number =>
      Number(parts.find((part) => part.type === type)?.value);
    return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) - instant;
  }
}
