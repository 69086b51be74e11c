-- advance-ledger: notes that a batch is applied; to be run first in the transaction that writes its rows.
-- $1 lane        e.g. forebay:tasks/3
-- $2 number      the batch's number
-- $3 generation  the lane's, in which the batch was sealed; null: not known
-- $4 persisted   the version up to which everything of that generation is in the database now; null: not known, so what was known
--                of the generation before stays true
-- $5 publication the change workers'; where it is not there, nobody is told
-- $6 told        the name of the message that tells them what is written
-- $7 fields      of what is written, as a JSON array
-- {{ledger}} forebay's table
-- Affects one row, or none when the batch (or a later one of its lane) was applied or found void before.
-- The message is a part of the transaction, comes before its rows, and is UTF-8 whatever the database's encoding.
-- [FB-LEDGER] [FB-NUMBER-ONCE] The row lock makes a second worker wait until the first has committed, and then affect none.
INSERT INTO {{ledger}} AS ledger (lane, batch, is_void, generation, persisted, applied_at)
VALUES ($1, $2::bigint, false, $3::text, $4::bigint, now())
ON CONFLICT (lane) DO UPDATE SET
  batch = excluded.batch, is_void = false, applied_at = excluded.applied_at, generation = excluded.generation,
  persisted = coalesce(excluded.persisted, CASE WHEN ledger.generation = excluded.generation THEN ledger.persisted END)
WHERE ledger.batch < excluded.batch
RETURNING CASE WHEN EXISTS (SELECT FROM pg_publication WHERE pubname = $5)
  THEN pg_logical_emit_message(true, $6, convert_to($7, 'UTF8')) END
