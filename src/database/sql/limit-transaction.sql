-- limit-transaction: SET LOCAL of this transaction's limits, whatever its session has; to be run first in it. And of
-- forebay.batch, by which triggers tell what forebay writes from what others do.
-- $1 statement_timeout, in ms as text
-- $2 lock_timeout, the same
-- $3 idle_in_transaction_session_timeout, the same
-- $4 client_connection_check_interval, the same: a worker that dies within a statement, or waits for a lock, keeps its lane's ledger
-- row no longer. Servers have it from Postgres 14 on, and not on every system.
SELECT set_config('forebay.batch', 'on', true), set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true),
  set_config('idle_in_transaction_session_timeout', $3, true),
  CASE WHEN current_setting('server_version_num')::int >= 140000 AND version() ~ 'linux'
    THEN set_config('client_connection_check_interval', $4, true) END
