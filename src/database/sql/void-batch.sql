-- void-batch: notes that nothing will ever be applied under a batch's number, for the batch is about to be split; to be run
-- first in the transaction that looks for its refused records.
-- $1 lane    e.g. forebay:tasks/3
-- $2 number  the batch's number
-- {{ledger}} forebay's table
-- Affects one row, also when the batch was found void before; none when it (or a later one of its lane) was applied.
-- [FB-VOID] The row lock keeps a worker that still wants to apply the batch waiting, until it finds it void.
INSERT INTO {{ledger}} AS ledger (lane, batch, is_void, applied_at)
VALUES ($1, $2::bigint, true, now())
ON CONFLICT (lane) DO UPDATE SET batch = excluded.batch, is_void = true, applied_at = excluded.applied_at
WHERE ledger.batch < excluded.batch OR (ledger.batch = excluded.batch AND ledger.is_void)
