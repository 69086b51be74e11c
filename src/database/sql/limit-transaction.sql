-- limit-transaction: SET LOCAL of this transaction's limits, whatever its session has; to be run first in it.
-- $1 statement_timeout, in ms as text
-- $2 lock_timeout, the same
-- $3 idle_in_transaction_session_timeout, the same
SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true),
  set_config('idle_in_transaction_session_timeout', $3, true)
