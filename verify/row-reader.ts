/** What Postgres has, by a connection that no fault but the server's own end touches. */
import pg from 'pg';
import { splitKey } from './keys.js';
import { tables } from './stores.js';

export class RowReader {
  readonly #url: string;
  #client: Promise<pg.Client> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** What a write wrote, a counter's sum, or null. Undefined: Postgres does not answer. */
  async read(key: string): Promise<string | number | null | undefined> {
    try {
      this.#client ??= this.#connect();
      const client = await this.#client;
      const { store, id } = splitKey(key);
      const { table, column } = tables[store];
      const { rows } = await client.query(`SELECT ${column} AS value FROM ${table} WHERE id = $1`, [id]);
      return rows[0]?.value ?? null;
    } catch {
      this.#client = undefined; // The server is being restarted: the next look connects anew.
      return undefined;
    }
  }

  async #connect(): Promise<pg.Client> {
    const schema = new URL(this.#url).searchParams.get('schema') ?? 'public';
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: 5_000,
      query_timeout: 20_000,
      options: `-c search_path=${schema}`,
    });
    client.on('error', () => {
      this.#client = undefined;
    });
    await client.connect();
    return client;
  }
}
