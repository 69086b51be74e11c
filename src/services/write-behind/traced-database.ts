/** A worker's database, whose transactions and their statements are spans. */
import type { Database } from '../../database/database.js';
import type { Transaction } from '../../definitions/record.js';
import type { Trace } from '../../trace.js';

/** Prisma's clients are proxies themselves: all but what is traced stays theirs. */
export function tracedDatabase(database: Database, trace: Trace | undefined): Database {
  if (trace === undefined) return database;
  const $transaction: Database['$transaction'] = (work, options) =>
    trace('forebay.transaction', { 'db.system.name': 'postgresql' }, () =>
      database.$transaction((tx) => work(tracedTransaction(tx, trace)), options),
    );
  return replacing(database, { $transaction });
}

function tracedTransaction(tx: Transaction, trace: Trace): Transaction {
  // Values are parameters: the text of a statement has none.
  const facts = (sql: string) => ({ 'db.system.name': 'postgresql', 'db.query.text': sql });
  return replacing(tx, {
    $executeRawUnsafe: (sql, ...values) =>
      trace('forebay.statement', facts(sql), () => tx.$executeRawUnsafe(sql, ...values)),
    $queryRawUnsafe: <T>(sql: string, ...values: unknown[]) =>
      trace('forebay.statement', facts(sql), () => tx.$queryRawUnsafe<T>(sql, ...values)),
  });
}

function replacing<T extends object>(target: T, own: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => Reflect.get(Object.hasOwn(own, name) ? own : target, name),
  });
}
