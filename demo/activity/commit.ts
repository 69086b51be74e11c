/** A commit of an activity history, as read from a file's line or from git. */
import { createHash } from 'node:crypto';
import { z } from 'zod';

/** `A` created, `M` changed, `D` deleted. */
export type Change = readonly ['A' | 'M' | 'D', string];

export interface Commit {
  readonly commit: string;
  /** Seconds since 1970. */
  readonly at: number;
  /** A name that tells nothing of the person: see `authorName`. */
  readonly author: string;
  readonly files: readonly Change[];
}

export interface Activity {
  /** What it is, for people: `3,597 commits of …` without the number. */
  readonly description: string;
  /** Reads the history from its beginning, oldest first; can be called again. */
  commits(): AsyncIterable<Commit>;
}

/** End of the year 9999: the last second that JSON, Prisma and Postgres write alike. */
export const atMax = 253_402_300_799;
const pathCharactersMax = 4_096;

/** What Postgres can't store as text. */
const notText = /[\0\p{Surrogate}]/u;
const text = z
  .string()
  .min(1)
  .max(pathCharactersMax)
  .refine((value) => !notText.test(value), {
    error: 'holds a NUL or half a character, which Postgres cannot store',
  });

/** The form of a line in an activity file. */
export const commitSchema = z.object({
  commit: text,
  at: z.int().min(0).max(atMax),
  author: text.transform(authorName),
  files: z.array(z.tuple([z.enum(['A', 'M', 'D', 'T']).transform(asChange), text])),
});

/** git's `T`, a change of type such as from a file to a link, is a change. */
export function asChange(status: 'A' | 'M' | 'D' | 'T'): Change[0] {
  return status === 'T' ? 'M' : status;
}

/** The author as the database gets it: a plain short name as it is, anything else (e-mail addresses) as a hash. */
export function authorName(author: string): string {
  return /^[A-Za-z0-9_-]{1,64}$/.test(author) ? author : hashedAuthor(author);
}

export function hashedAuthor(email: string): string {
  return `u${createHash('sha256').update(email).digest('hex').slice(0, 10)}`;
}
