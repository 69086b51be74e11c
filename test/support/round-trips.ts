/** Counts a Prisma client's round trips to the database: statements, and the begin and end of transactions. */
import type { Database } from '../../src/database/database.js';

export class RoundTrips {
  readonly database: Database;
  #count = 0;

  constructor(database: Database) {
    const counted = <T extends object>(client: T): T =>
      new Proxy(client, {
        get: (target, name) => {
          const value = Reflect.get(target, name) as unknown;
          if (typeof value !== 'function') return value;
          if (name === '$transaction') return this.#transaction(target as unknown as Database, counted);
          if (name === '$executeRawUnsafe' || name === '$queryRawUnsafe') {
            return (...args: unknown[]) => {
              this.#count += 1;
              return value.apply(target, args) as unknown;
            };
          }
          return value.bind(target) as unknown;
        },
      });
    this.database = counted(database);
  }

  /** How many there were since the last call. */
  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }

  #transaction(database: Database, counted: <T extends object>(client: T) => T): Database['$transaction'] {
    return (work, options) => {
      this.#count += 2;
      return database.$transaction((tx) => work(counted(tx)), options);
    };
  }
}
