/** A Prisma client whose answers a test holds back: queries are run at once, and answered when they are let go. */

import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import type { Database } from '../../src/database/database.js';

export class HeldDatabase {
  readonly database: Database;
  readonly #held: (() => void)[] = [];
  #isOpen = true;

  constructor(prisma: PrismaClient) {
    const hold =
      <A extends unknown[], T>(query: (...args: A) => Promise<T>) =>
      (...args: A): Promise<T> =>
        this.hold(() => query(...args));
    const database = {
      $transaction: prisma.$transaction.bind(prisma),
      $executeRawUnsafe: prisma.$executeRawUnsafe.bind(prisma),
      $queryRawUnsafe: hold((sql: string, ...values: unknown[]) => prisma.$queryRawUnsafe(sql, ...values)),
      $disconnect: () => prisma.$disconnect(),
      project: { findMany: hold((query: object) => prisma.project.findMany(query)) },
    };
    this.database = database as unknown as Database;
  }

  /** Runs a query at once, and holds its answer back as those of the database. */
  async hold<T>(query: () => Promise<T>): Promise<T> {
    const answer = await query();
    if (!this.#isOpen) await new Promise<void>((letGo) => this.#held.push(letGo));
    return answer;
  }

  /** From now on answers are held back. */
  close(): void {
    this.#isOpen = false;
  }

  /** Lets the oldest answer go. */
  letGo(): void {
    this.#held.shift()?.();
  }

  /** Lets all answers go, also those to come. */
  open(): void {
    this.#isOpen = true;
    for (const letGo of this.#held.splice(0)) letGo();
  }
}
