/**
 * The driver's client for a pooler that takes no settings of sessions (PgBouncer in transaction mode): each
 * transaction brings its limits, and what stands outside of one gets one of its own. All of it is sent at
 * once, so that it costs no further round trip.
 */
import pg from 'pg';
import { postgresLimits } from './postgres-limits.js';

const { statementTimeoutMs, lockTimeoutMs, idleInTransactionMs } = postgresLimits;
const limits = [
  `SET LOCAL statement_timeout = ${statementTimeoutMs}`,
  `SET LOCAL lock_timeout = ${lockTimeoutMs}`,
  `SET LOCAL idle_in_transaction_session_timeout = ${idleInTransactionMs}`,
].join('; ');

const beginning = /^\s*(BEGIN|START\s+TRANSACTION)\b[^;]*$/i;

type Done = (error: unknown, result?: unknown) => void;

/** To be made with `pipeline: true`. */
export class LimitedClient extends pg.Client {
  /** As the driver's own, whatever its overload. */
  override query(...call: unknown[]): never {
    return this.#query(call) as never;
  }

  #query(call: readonly unknown[]): unknown {
    const [query, values, done] = call;
    const text = textOf(query);
    if (text === undefined || this.#isWithinTransaction()) return this.#send(...call);
    if (beginning.test(text)) return this.#send(`${text}; ${limits}`);
    const result = this.#within(query, values);
    if (typeof done !== 'function') return result;
    return void result.then((found) => (done as Done)(undefined, found), done as Done);
  }

  #isWithinTransaction(): boolean {
    const status = this.getTransactionStatus();
    return status === 'T' || status === 'E';
  }

  /** COMMIT after a statement that failed is a rollback. */
  async #within(query: unknown, values: unknown): Promise<unknown> {
    const sent = [this.#send(`BEGIN; ${limits}`), this.#send(query, values), this.#send('COMMIT')];
    const answers = await Promise.allSettled(sent);
    const failed = answers.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    return answers[1]?.status === 'fulfilled' ? answers[1].value : undefined;
  }

  #send(...call: unknown[]): unknown {
    return Reflect.apply(pg.Client.prototype.query, this, call);
  }
}

/** Undefined for what sends itself, such as a cursor. */
function textOf(query: unknown): string | undefined {
  if (typeof query === 'string') return query;
  const { text, submit } = query as { text?: unknown; submit?: unknown };
  return typeof submit === 'function' || typeof text !== 'string' ? undefined : text;
}
