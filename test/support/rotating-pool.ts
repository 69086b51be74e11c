/** A pool as PgBouncer is in transaction mode, at its worst: each query and each transaction has the next session. */
import pg from 'pg';

export class RotatingPool extends pg.Pool {
  readonly #pools: readonly pg.Pool[];
  readonly #used = new Set<pg.Pool>();
  #turn = 0;

  constructor(sessions: readonly pg.PoolConfig[]) {
    super();
    this.#pools = sessions.map((session) => new pg.Pool({ ...session, max: 1 }));
    this.connect = (() => this.#next().connect()) as typeof this.connect;
    this.query = ((...query: Parameters<pg.Pool['query']>) =>
      this.#next().query(...query)) as typeof this.query;
    this.end = (async () =>
      void (await Promise.all(this.#pools.map((pool) => pool.end())))) as typeof this.end;
  }

  get sessionsUsed(): number {
    return this.#used.size;
  }

  #next(): pg.Pool {
    const pool = this.#pools[this.#turn++ % this.#pools.length] as pg.Pool;
    this.#used.add(pool);
    return pool;
  }
}
