-- void-batch: notes that nothing will ever be applied under a batch's number, for the batch is about to be split; to be run
-- first in the transaction that looks for its refused records.
-- $1 lane    e.g. forebay:tasks/3
-- $2 number  the batch's number
-- {{ledger}} forebay's table
-- Affects one row, also when the batch was found void before; none when it (or a later one of its lane) was applied.
-- [FB-VOID] The row lock keeps a worker that still wants to apply the batch waiting, until it finds it void. The lane's last void
-- numbers stand in a row of their own, whatever is applied later: a Redis that goes back may have such a batch again.
WITH voided AS (
  INSERT INTO {{ledger}} AS ledger (lane, batch, is_void, applied_at)
  VALUES ($1, $2::bigint, true, now())
  ON CONFLICT (lane) DO UPDATE SET batch = excluded.batch, is_void = true, applied_at = excluded.applied_at
  WHERE ledger.batch < excluded.batch OR (ledger.batch = excluded.batch AND ledger.is_void)
  RETURNING batch
)
INSERT INTO {{ledger}} AS voids (lane, batch, is_void, generation, applied_at)
SELECT $1 || '#void', batch, true, batch || ' ', now() FROM voided
ON CONFLICT (lane) DO UPDATE SET batch = excluded.batch, applied_at = excluded.applied_at,
  generation = right(replace(voids.generation, excluded.generation, '') || excluded.generation, 2000)
