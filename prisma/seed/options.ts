/** What the seed's command line takes. */

import { parseArgs } from 'node:util';

export const sizes = { small: 50, medium: 1_000, large: 10_000 } as const;
const usersMax = 1_000_000;

export const usage = `npm run db:seed -- [options]

Fills the database of DATABASE_URL, else the project's own, with a platform's rows; npm run db:migrate makes its tables.
Run twice, it leaves what is there. It writes past forebay, so run it when nothing is cached or waiting to be written.

  --size SIZE   small (50 users), medium (1,000, the default) or large (10,000); per user about 28 rows
  --users N     that many users instead, 1 to 1,000,000
  --now TIME    the moment that the rows lead up to, e.g. 2026-03-01T12:00:00Z; default: the start of this day in UTC
  --reset       deletes all rows of these tables first
  --help        this text
`;

export interface SeedOptions {
  /** How many users; all else follows from it. Default 1000. */
  readonly users?: number;
  /** The moment that the rows lead up to. Default: the start of this day in UTC. */
  readonly now?: Date;
  /** Deletes all rows of the tables first. Default false. */
  readonly reset?: boolean;
}

export class SeedError extends Error {
  override readonly name = 'SeedError';
  readonly code: 'BAD_ARGUMENT' | 'NOT_MIGRATED';

  constructor(code: SeedError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** @throws SeedError BAD_ARGUMENT */
export function readArguments(args: readonly string[]): SeedOptions | 'help' {
  const { size, users, now, reset, help } = parse(args);
  if (help) return 'help';
  if (size !== undefined && users !== undefined) throw badArgument('--size and --users exclude each other');
  return {
    users: users === undefined ? usersOfSize(size ?? 'medium') : userCount(users),
    ...(now === undefined ? {} : { now: moment(now) }),
    reset,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { size: text, users: text, now: text, reset: flag, help: flag },
    }).values;
  } catch (error) {
    throw badArgument(error instanceof Error ? error.message : String(error), error);
  }
}

function usersOfSize(size: string): number {
  if (Object.hasOwn(sizes, size)) return sizes[size as keyof typeof sizes];
  throw badArgument(`--size is ${Object.keys(sizes).join(', ')}, not "${size}"`);
}

function userCount(text: string): number {
  const users = Number(text);
  if (/^\d+$/.test(text) && users >= 1 && users <= usersMax) return users;
  throw badArgument(`--users is a whole number from 1 to ${usersMax}, not "${text}"`);
}

function moment(text: string): Date {
  const now = new Date(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(now.getTime())) return now;
  throw badArgument(`--now is a time such as 2026-03-01T12:00:00Z, not "${text}"`);
}

function badArgument(what: string, cause?: unknown): SeedError {
  return new SeedError('BAD_ARGUMENT', `${what.replace(/\.$/, '')}. See npm run db:seed -- --help.`, cause);
}
