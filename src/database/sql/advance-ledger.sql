-- advance-ledger: notes that a batch is applied; to be run first in the transaction that writes its rows.
-- $1 lane    e.g. forebay:tasks/3
-- $2 number  the batch's number
-- Affects one row, or none when the batch (or a later one of its lane) was applied or found void before.
-- The row lock makes a second worker wait until the first has committed, and then affect none.
INSERT INTO forebay_ledger AS ledger (lane, batch, is_void, applied_at)
VALUES ($1, $2::bigint, false, now())
ON CONFLICT (lane) DO UPDATE SET batch = excluded.batch, is_void = false, applied_at = excluded.applied_at
WHERE ledger.batch < excluded.batch
