/**
 * Postgres's own feed of a publication's changes: logical replication through a temporary slot, which ends
 * with its connection, so that a reader that is gone keeps no WAL.
 * https://www.postgresql.org/docs/current/protocol-replication.html
 */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { inTime } from './deadline.js';
import { quoteIdentifier } from './identifier.js';
import { createPostgresClient, withPostgres } from './postgres-client.js';

export interface ReplicationOptions {
  readonly url: string;
  readonly publication: string;
  /** How its connection is named. */
  readonly name: string;
  /** A message of the plugin pgoutput. */
  onMessage(message: Buffer): void;
  /** Postgres has sent all that was committed up to here, unless it is amidst a transaction. */
  onSentUpTo(lsn: bigint): void;
  /** Once, and nothing comes after it; not when it is closed. */
  onLost(error: Error): void;
}

/** Where a feed begins: all that is committed later comes. */
export interface FeedStart {
  /** Of which history of which server its positions are. */
  readonly history: string;
  readonly lsn: bigint;
}

/** What its types do not tell of a connection. */
type CopyConnection = pg.Connection & { sendCopyFromChunk(chunk: Buffer): void };

/**
 * A peer that is gone without a word is noticed after so many pings without an answer; one that decodes a
 * large transaction meanwhile hears none, and is given up after far more.
 */
const pingEveryMs = 1_000;
const unansweredMax = 5;
const unansweredOfBusyMax = 600;
/** For the question whether it does. */
const askMaxMs = 5_000;
/** Postgres looks so often whether the worker is gone for which it waits. */
const clientCheckMs = 1_000;

const xLogData = 'w'.charCodeAt(0);
const keepalive = 'k'.charCodeAt(0);
const statusUpdate = 'r'.charCodeAt(0);
/** Of an XLogData message. */
const headerBytes = 25;
/** Postgres counts from 2000. */
const epochUs = 946_684_800_000_000n;

/**
 * Resolves when the feed has begun. Postgres first waits for the transactions that are under way, however
 * long these take.
 * @throws what Postgres says; or what `signal` aborted with
 */
export async function openReplication(
  options: ReplicationOptions,
  signal: AbortSignal,
): Promise<ReplicationFeed> {
  const feed = new ReplicationFeed(options);
  const cut = (): void => feed.close();
  signal.addEventListener('abort', cut, { once: true });
  try {
    await feed.open();
    return feed;
  } catch (error) {
    feed.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', cut);
  }
}

export class ReplicationFeed {
  readonly #options: ReplicationOptions;
  readonly #client: pg.Client;
  #start: FeedStart = { history: '', lsn: 0n };
  #receivedLsn = 0n;
  /** Of the process of Postgres's that sends. */
  #pid: unknown;
  #pinging: NodeJS.Timeout | undefined;
  #unanswered = 0;
  #isOver = false;

  constructor(options: ReplicationOptions) {
    this.#options = options;
    this.#client = createPostgresClient(options.url, { name: options.name, isReplication: true });
  }

  get start(): FeedStart {
    return this.#start;
  }

  async open(): Promise<void> {
    const client = this.#client;
    client.on('error', (error) => this.#lose(error));
    client.on('end', () => this.#lose(new Error('Postgres has ended the connection.')));
    await client.connect();
    const { systemid, timeline } = await this.#ask('IDENTIFY_SYSTEM');
    // The role's own would end the wait for open transactions.
    await client.query('SET lock_timeout = 0');
    await this.#endWithClient();
    ({ pid: this.#pid } = await this.#ask('SELECT pg_backend_pid() AS pid'));
    const slot = `forebay_${randomBytes(8).toString('hex')}`;
    const made = await this.#ask(
      `CREATE_REPLICATION_SLOT ${slot} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`,
    );
    this.#start = { history: `${systemid}/${timeline}`, lsn: parseLsn(String(made.consistent_point)) };
    await this.#begin(slot);
    this.#pinging = setInterval(() => this.#ping(), pingEveryMs);
    this.#pinging.unref();
  }

  /** At once: Postgres notices, and drops the slot. */
  close(): void {
    this.#isOver = true;
    clearInterval(this.#pinging);
    this.#client.connection.stream.destroy();
  }

  /** Also while it waits to begin: else Postgres would keep the slot until the transactions have ended. */
  async #endWithClient(): Promise<void> {
    try {
      await this.#client.query(`SET client_connection_check_interval = ${clientCheckMs}`);
    } catch {
      // Before Postgres 14, and on some systems, there is no such setting.
      return;
    }
    // Only a plain query has Postgres begin to look, which it then goes on with.
    await this.#client.query('SELECT');
  }

  async #ask(command: string): Promise<Record<string, unknown>> {
    const { rows } = await this.#client.query(command);
    return rows[0] as Record<string, unknown>;
  }

  async #begin(slot: string): Promise<void> {
    const { connection } = this.#client;
    connection.on('copyData', ({ chunk }: { chunk: Buffer }) => this.#hear(chunk));
    const begun = new Promise((resolve) => connection.once('replicationStart', resolve));
    const names = quoteIdentifier(this.#options.publication).replaceAll("'", "''");
    const ended = this.#client.query(
      `START_REPLICATION SLOT ${slot} LOGICAL 0/0 (proto_version '1', publication_names '${names}', messages 'true')`,
    );
    ended.then(
      () => this.#lose(new Error('Postgres has ended the replication.')),
      (error: Error) => this.#lose(error),
    );
    await Promise.race([begun, ended]);
  }

  /** What is not understood is lost: all that comes later would count as complete. */
  #hear(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#unanswered = 0;
    try {
      this.#read(chunk);
    } catch (error) {
      this.#lose(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #read(chunk: Buffer): void {
    if (chunk[0] === xLogData) {
      this.#received(chunk.readBigUInt64BE(1));
      this.#options.onMessage(chunk.subarray(headerBytes));
    } else if (chunk[0] === keepalive) {
      const lsn = chunk.readBigUInt64BE(1);
      this.#received(lsn);
      this.#options.onSentUpTo(lsn);
      if (chunk[17] === 1) this.#answer(false);
    }
  }

  #received(lsn: bigint): void {
    if (lsn > this.#receivedLsn) this.#receivedLsn = lsn;
  }

  /** In pings rather than in time: a process that was paused finds what came meanwhile first. */
  #ping(): void {
    this.#unanswered += 1;
    this.#answer(true);
    if (this.#unanswered % (unansweredMax + 1) === 0) void this.#loseUnlessBusy(this.#unanswered);
  }

  async #loseUnlessBusy(unanswered: number): Promise<void> {
    const isBusy =
      unanswered < unansweredOfBusyMax && (await inTime(this.#isBusy(), askMaxMs).catch(() => false));
    if (!isBusy && this.#unanswered >= unanswered)
      this.#lose(new Error(`Postgres has not answered for ${this.#unanswered - 1} s.`));
  }

  /** Rather than waiting for more to send, or for the network. */
  async #isBusy(): Promise<boolean> {
    const { url, name } = this.#options;
    const rows = await withPostgres(url, name, (query) =>
      query<object>(
        `SELECT FROM pg_stat_activity
         WHERE pid = $1 AND application_name = $2 AND coalesce(wait_event_type, '') NOT IN ('Activity', 'Client')`,
        [this.#pid, name],
      ),
    );
    return rows.length > 0;
  }

  /** How far it has come, so that Postgres keeps no WAL for it. */
  #answer(isReplyWanted: boolean): void {
    const message = Buffer.alloc(34);
    message[0] = statusUpdate;
    for (const offset of [1, 9, 17]) message.writeBigUInt64BE(this.#receivedLsn, offset);
    message.writeBigInt64BE(BigInt(Date.now()) * 1_000n - epochUs, 25);
    message[33] = isReplyWanted ? 1 : 0;
    (this.#client.connection as CopyConnection).sendCopyFromChunk(message);
  }

  #lose(error: Error): void {
    if (this.#isOver) return;
    this.close();
    this.#options.onLost(error);
  }
}

/** A place in the WAL, as Postgres writes it: `16/B374D848`. */
function parseLsn(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}
