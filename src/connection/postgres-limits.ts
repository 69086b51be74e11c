/** What forebay grants a transaction in Postgres. */
export const postgresLimits = {
  statementTimeoutMs: 60_000,
  lockTimeoutMs: 30_000,
  /** A worker paused in a transaction holds its lane's ledger row: Postgres ends its session then. */
  idleInTransactionMs: 3_000,
  /** So often Postgres looks whether the worker that a statement is for is still there. */
  connectionCheckMs: 1_000,
} as const;
