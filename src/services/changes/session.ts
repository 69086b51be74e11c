/** One connection's worth of changes: from its beginning until it is lost. */
import { type FeedStart, openReplication, type ReplicationFeed } from '../../connection/replication.js';
import { ForebayError, messageOf } from '../../errors.js';
import { Backlog } from './backlog.js';
import { Transactions, type TransactionsOptions } from './transactions.js';

export interface SessionOptions extends Pick<TransactionsOptions, 'tables' | 'dependents' | 'prefix'> {
  /** Of Postgres itself, not of a pooler. */
  readonly url: string;
  readonly publication: string;
  /** How its connection is named. */
  readonly name: string;
  /** Of what was set up when it began. */
  readonly mark: string;
}

export class Session {
  readonly backlog = new Backlog();
  readonly mark: string;
  readonly #transactions: Transactions;
  #feed: ReplicationFeed | undefined;
  #lost: Error | undefined;

  private constructor({ mark, tables, dependents, prefix }: SessionOptions) {
    this.mark = mark;
    this.#transactions = new Transactions({
      tables,
      dependents,
      prefix,
      onChanged: (changed) => this.backlog.add(changed),
      onCommit: (lsn) => this.backlog.sentUpTo(lsn),
    });
  }

  /** @throws ForebayError DATABASE_UNAVAILABLE with what Postgres says */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<Session> {
    const session = new Session(options);
    const { url, publication, name } = options;
    session.#feed = await openReplication(
      {
        url,
        publication,
        name,
        onMessage: (message) => session.#transactions.read(message),
        onSentUpTo: (lsn) => session.#sentUpTo(lsn),
        onLost: (error) => session.lose(error),
      },
      signal,
    ).catch(toldWhy);
    session.backlog.beginAt(session.start.lsn);
    return session;
  }

  get start(): FeedStart {
    return (this.#feed as ReplicationFeed).start;
  }

  /** @throws what it was lost with */
  check(): void {
    if (this.#lost) throw this.#lost;
  }

  lose(error: Error): void {
    this.#lost ??= error;
    this.backlog.wake();
  }

  close(): void {
    this.#feed?.close();
  }

  #sentUpTo(lsn: bigint): void {
    if (!this.#transactions.isOpen) this.backlog.sentUpTo(lsn);
  }
}

function toldWhy(error: unknown): never {
  const { hint } = error as { hint?: string };
  throw new ForebayError(
    'DATABASE_UNAVAILABLE',
    `Postgres begins no feed of changes: ${messageOf(error)}.${hint ? ` ${hint}` : ''}`,
    { retryable: true, cause: error },
  );
}
