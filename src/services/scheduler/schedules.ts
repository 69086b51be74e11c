/** `defineSchedules`: what an app does at certain times, by name, in the words of cron. */
import { checkStores } from '../../app/check-parts.js';
import type { Forebay } from '../../app/connect.js';
import type { Definitions, Stores } from '../../definitions/stores.js';
import { ForebayError } from '../../errors.js';
import { checkObject, describe } from '../../given.js';
import { validateDetailed } from '../../peers/node-cron.js';

/** When a schedule's ticks are. */
interface ScheduleTimes {
  /** Five fields, or six with seconds first, as node-cron reads them: `0 3 * * *` is every day at three. */
  readonly cron: string;
  /** An IANA name, e.g. `Europe/Berlin`. Default `UTC`. */
  readonly timeZone?: string;
  /**
   * When no scheduler was there at the time: one run for all ticks that were missed, or none. Default `run`.
   */
  readonly missed?: MissedTicks;
}

/** What becomes of ticks that no scheduler was there for. */
export type MissedTicks = 'run' | 'skip';

/** Warms a computed store. */
export interface WarmSchedule extends ScheduleTimes {
  /** The name of a store with the option `warm`. */
  readonly warm: string;
}

/** Runs a function in a scheduler's process. */
export interface FunctionSchedule<D extends Definitions, Prisma> extends ScheduleTimes {
  /**
   * Does the work; what it returns is shown on the board. It may run again when its process dies in the
   * middle, so it must bear that. One that fails is tried three times.
   */
  readonly run: (context: RunContext<D, Prisma>) => Promise<unknown>;
}

/** What a schedule's function is given. */
export interface RunContext<D extends Definitions, Prisma> {
  /** A connected client. */
  readonly app: Forebay<D>;
  /** The scheduler's Prisma client. */
  readonly prisma: Prisma;
  /**
   * Aborted when the scheduler stops: reject with its reason, and another scheduler runs the function again.
   */
  readonly signal: AbortSignal;
  /** Shown on the board. */
  progress(done: number, total?: number): Promise<void>;
}

/** One of an app's schedules, its options complete. */
export interface Schedule {
  /** Its name in `defineSchedules`. */
  readonly name: string;
  /** When, in cron's words. */
  readonly cron: string;
  /** Where its clock is. */
  readonly timeZone: string;
  /** What becomes of ticks that were missed. */
  readonly missed: MissedTicks;
  /** A store, or a function. */
  readonly what: { readonly warm: string } | { readonly run: FunctionSchedule<Definitions, unknown>['run'] };
}

/** Made by `defineSchedules`. */
export type Schedules = ReadonlyMap<string, Schedule>;

/**
 * Names and checks an app's schedules.
 * @throws ForebayError INVALID_DEFINITION, with every problem found; INVALID_VALUE
 */
export function defineSchedules<D extends Definitions, Prisma>(
  stores: Stores<D>,
  schedules: Readonly<Record<string, WarmSchedule | FunctionSchedule<D, Prisma>>>,
): Schedules {
  checkStores(stores);
  checkObject('The schedules', schedules);
  const problems = Object.entries(schedules).flatMap(([name, schedule]) => {
    if (typeof schedule !== 'object' || schedule === null)
      return [`${name} must be an object, not ${describe(schedule)}.`];
    return [...nameProblems(name), ...timeProblems(name, schedule), ...workProblems(name, schedule, stores)];
  });
  if (problems.length > 0) {
    throw new ForebayError('INVALID_DEFINITION', `The schedules can't be used:\n- ${problems.join('\n- ')}`);
  }
  return new Map(Object.entries(schedules).map(([name, schedule]) => [name, bind(name, schedule)]));
}

function bind<D extends Definitions, Prisma>(
  name: string,
  schedule: WarmSchedule | FunctionSchedule<D, Prisma>,
): Schedule {
  const { cron, timeZone = 'UTC', missed = 'run' } = schedule;
  const what =
    'warm' in schedule
      ? { warm: schedule.warm }
      : { run: schedule.run as unknown as FunctionSchedule<Definitions, unknown>['run'] };
  return { name, cron, timeZone, missed, what };
}

function nameProblems(name: string): string[] {
  return /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)
    ? []
    : [`"${name}" can't be a schedule's name: use 1 to 64 letters, digits, "_" and "-", a letter first.`];
}

function timeProblems(name: string, { cron, timeZone, missed }: ScheduleTimes): string[] {
  if (typeof cron !== 'string') return [`${name}: cron must be a text, not ${describe(cron)}.`];
  const problems = validateDetailed(cron).errors.map(
    ({ field, message }) => `${name}: "${cron}" can't be its time: ${field}: ${message}.`,
  );
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    problems.push(`${name}: "${timeZone}" is no time zone; use a name such as Europe/Berlin.`);
  }
  if (missed !== undefined && missed !== 'run' && missed !== 'skip') {
    problems.push(`${name}: missed must be one of run, skip, not ${String(missed)}.`);
  }
  return problems;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false; // Intl has no other way to ask.
  }
}

function workProblems<D extends Definitions, Prisma>(
  name: string,
  schedule: WarmSchedule | FunctionSchedule<D, Prisma>,
  { computed }: Stores<D>,
): string[] {
  if ('warm' in schedule === 'run' in schedule)
    return [`${name}: give it either a store to warm or a function to run.`];
  if ('run' in schedule) {
    return typeof schedule.run === 'function' ? [] : [`${name}: run must be a function.`];
  }
  if (computed.get(schedule.warm)?.warm !== undefined) return [];
  return [`${name}: "${schedule.warm}" is no computed store with the option "warm".`];
}
