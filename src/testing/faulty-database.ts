/** A Prisma client whose next calls fail as a test has asked for it: how an app or a worker takes that. */
import type { Database } from '../database/database.js';
import { Faults } from './faults.js';

/** A client, and what has its calls fail. */
export interface FaultyDatabase<Prisma extends Database> {
  /** Give it to `connect`, or to a worker. */
  readonly prisma: Prisma;
  /**
   * Has the next calls fail: queries, statements and transactions.
   * @param error - default: what Prisma says of a database that is away
   * @param times - how many; 0: none any more. Default 1
   */
  failNext(error?: unknown, times?: number): void;
}

const calls: ReadonlySet<string | symbol> = new Set(['$transaction', '$queryRawUnsafe', '$executeRawUnsafe']);

/** A client that is yours, with faults in front of the calls that forebay makes. */
export function withFaults<Prisma extends Database>(prisma: Prisma): FaultyDatabase<Prisma> {
  const faults = new Faults();
  const faulty = new Proxy(prisma, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (!calls.has(name) || typeof value !== 'function') return value;
      return async (...given: unknown[]) => {
        faults.pass('database');
        return Reflect.apply(value, target, given) as unknown;
      };
    },
  });
  return { prisma: faulty, failNext: (error, times) => faults.failNext('database', error, times) };
}
