/**
 * What Vixie's cron does, found the slow way: minute by minute of real time, with the clock read at each. Knows
 * nothing of offsets.
 */

/** A pattern of which it is known what it means. */
export interface PlainPattern {
  readonly cron: string;
  readonly isWildcard: boolean;
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly weekdays: readonly number[];
}

export interface Minute {
  readonly instant: number;
  /** What the clock shows, as if it were UTC. */
  readonly face: number;
}

const minuteMs = 60_000;

export function minutesOf(timeZone: string, from: Date, until: Date): Minute[] {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  const minutes: Minute[] = [];
  for (let instant = from.getTime(); instant < until.getTime(); instant += minuteMs) {
    minutes.push({ instant, face: Date.parse(`${format.format(instant).replace(' ', 'T')}Z`) });
  }
  return minutes;
}

export function ticksOf(pattern: PlainPattern, minutes: readonly Minute[]): number[] {
  const seen = new Set<number>();
  return minutes.flatMap(({ instant, face }, index) => {
    const before = minutes[index - 1]?.face ?? face - minuteMs;
    const isDue = pattern.isWildcard
      ? matches(pattern, face)
      : facesUpTo(face, before).some((it) => matches(pattern, it) && !seen.has(it));
    for (const it of facesUpTo(face, before)) seen.add(it);
    return isDue ? [instant] : [];
  });
}

/** The face, and what the clock has left out before it. */
function facesUpTo(face: number, before: number): number[] {
  const faces = [face];
  for (let out = face - minuteMs; out > before; out -= minuteMs) faces.push(out);
  return faces;
}

function matches({ minutes, hours, days, weekdays }: PlainPattern, face: number): boolean {
  const clock = new Date(face);
  return (
    minutes.includes(clock.getUTCMinutes()) &&
    hours.includes(clock.getUTCHours()) &&
    days.includes(clock.getUTCDate()) &&
    weekdays.includes(clock.getUTCDay())
  );
}
