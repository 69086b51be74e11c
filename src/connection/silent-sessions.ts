/**
 * Ends connections to Postgres that nothing will come from any more: their peer is gone without a word, or a
 * network between has forgotten them. The system would keep one that waits for an answer for a quarter of an
 * hour. Silence alone proves nothing, for a statement may take long. So Postgres is asked, on a new
 * connection, whether the session is at work; one that is not, twice, has answered already, or was never
 * asked.
 */
import type { Socket } from 'node:net';

/** What is used of the driver's client. */
export interface Session {
  readonly processID: number | null;
  readonly readyForQuery: boolean;
  readonly connection: { readonly stream: Socket };
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly { pid: number }[] }>;
  connect(): Promise<unknown>;
  end(): Promise<void>;
  on(event: 'error', listener: () => void): unknown;
}

interface Watched {
  readonly session: Session;
  bytesRead: number;
  /** Since when nothing has come, though something is to come. */
  silentSince: number;
  /** How often Postgres has said that the session does nothing. */
  denials: number;
}

const lookEveryMs = 2_500;
/** A statement that takes longer is asked about. */
const silenceMaxMs = 5_000;
const denialsMax = 2;

// One that sends what nobody takes is as good as idle: nothing has come of it for so long.
const atWork = `SELECT pid FROM pg_stat_activity
  WHERE pid = ANY($1) AND state NOT LIKE 'idle%' AND wait_event IS DISTINCT FROM 'ClientWrite'`;

export class SilentSessions {
  readonly #open: (like: Session) => Session;
  readonly #watched = new Map<Session, Watched>();
  #timer: NodeJS.Timeout | undefined;

  /** @param open a new client of the same kind and for the same server, not connected yet */
  constructor(open: (like: Session) => Session) {
    this.#open = open;
  }

  /** Of a pooler, which has sessions of its own, nothing can be asked. @throws what the connection throws */
  async watch(session: Session): Promise<void> {
    // The pool listens to none that it gives away, nor does Prisma to one that it has not got yet: an error
    // that nobody hears ends the process. What breaks is thrown by the call that it breaks.
    session.on('error', () => undefined);
    const { rows } = await session.query('SELECT pg_backend_pid() AS pid');
    if (rows[0]?.pid !== session.processID) return;
    const { stream } = session.connection;
    this.#watched.set(session, { session, bytesRead: 0, silentSince: 0, denials: 0 });
    stream.once('close', () => this.#forget(session));
    this.#timer ??= setInterval(() => void this.#look(), lookEveryMs).unref();
  }

  #forget(session: Session): void {
    this.#watched.delete(session);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    const silent = [...this.#watched.values()].filter(isSilent);
    const [first] = silent;
    if (first === undefined) return;
    const working = await this.#atWork(first.session, silent);
    if (working === undefined) return;
    for (const one of silent) {
      one.denials = working.has(one.session.processID) ? 0 : one.denials + 1;
      if (one.denials < denialsMax || !isSilent(one)) continue;
      one.session.connection.stream.destroy(new Error('The connection to Postgres was lost without a word.'));
    }
  }

  /** Undefined: Postgres can't be asked. */
  async #atWork(like: Session, silent: readonly Watched[]): Promise<ReadonlySet<number | null> | undefined> {
    const asking = this.#open(like);
    // What breaks is thrown by the call that it breaks.
    asking.on('error', () => undefined);
    try {
      await asking.connect();
      const { rows } = await asking.query(atWork, [silent.map(({ session }) => session.processID)]);
      return new Set(rows.map(({ pid }) => pid));
    } catch {
      return undefined; // It is away altogether, which others find out.
    } finally {
      void asking.end().catch(() => undefined);
    }
  }
}

function isSilent(one: Watched): boolean {
  const { readyForQuery, connection } = one.session;
  const { bytesRead } = connection.stream;
  if (readyForQuery || bytesRead !== one.bytesRead) {
    one.bytesRead = bytesRead;
    one.silentSince = performance.now();
    one.denials = 0;
  }
  return performance.now() - one.silentSince >= silenceMaxMs;
}
