/** The clocks of Redis, Postgres and this process, and how far they are apart. */
import { type Finding, type Mend, shell } from '../../connection/finding.js';
import { duration } from '../../operations/duration.js';

/** A server's clock against this process's. */
export interface ClockReading {
  /** How far it is ahead, in ms; negative: behind. */
  readonly aheadMs: number;
  /** What the reading may be wrong by, at most. */
  readonly doubtMs: number;
}

const apartMaxMs = 1_000;

/** @param now this process's clock, in ms since 1970 */
export async function readClock(
  read: () => Promise<number>,
  now: () => number = Date.now,
): Promise<ClockReading> {
  const before = now();
  const there = await read();
  const doubtMs = (now() - before) / 2;
  return { aheadMs: there - (before + doubtMs), doubtMs };
}

export interface Clocks {
  readonly redis: ClockReading | undefined;
  readonly postgres: ClockReading | undefined;
}

/** Where both servers agree, it is this process's clock that is wrong. */
export function clockFindings({ redis, postgres }: Clocks): Finding[] {
  const isOff = (clock: ClockReading | undefined): clock is ClockReading =>
    clock !== undefined && Math.abs(clock.aheadMs) - clock.doubtMs > apartMaxMs;
  if (isOff(redis) && isOff(postgres) && Math.abs(redis.aheadMs - postgres.aheadMs) < apartMaxMs) {
    return [clockFinding('CLOCK_HERE', 'The clock of this machine', "the servers'", -redis.aheadMs)];
  }
  return [
    ...(isOff(redis)
      ? [clockFinding('CLOCK_REDIS', 'The clock of Redis', "this machine's", redis.aheadMs)]
      : []),
    ...(isOff(postgres)
      ? [clockFinding('CLOCK_POSTGRES', 'The clock of Postgres', "this machine's", postgres.aheadMs)]
      : []),
  ];
}

export const clockCodes = [
  {
    code: 'CLOCK_HERE',
    severity: 'warning',
    about: "This machine's clock differs from those of Redis and Postgres.",
  },
  { code: 'CLOCK_REDIS', severity: 'warning', about: "The clock of Redis differs from this machine's." },
  {
    code: 'CLOCK_POSTGRES',
    severity: 'warning',
    about: "The clock of Postgres differs from this machine's.",
  },
] as const;

function clockFinding(code: string, what: string, than: string, aheadMs: number): Finding {
  return {
    code,
    severity: 'warning',
    what: `${what} is ${duration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} ${than}`,
    consequence:
      'times in logs, on the board and in rows do not fit, and values count as fresh for that much too long or too short.',
    mend,
  };
}

const mend: Mend = shell('timedatectl set-ntp true');
