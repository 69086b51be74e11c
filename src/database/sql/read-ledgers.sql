-- read-ledgers: the numbers of the last batches that were applied, and what they prove.
-- $1 lanes, e.g. {forebay:projects/3,forebay:tasks/0}
-- {{ledger}} forebay's table
-- Returns a row for each lane that the ledger knows: lane, batch, generation, persisted (null where not known), applied_ms (since
-- 1970).
SELECT lane, batch::text AS batch, generation, persisted::text AS persisted,
  floor(extract(epoch FROM applied_at) * 1000)::text AS applied_ms
FROM {{ledger}} WHERE lane = ANY($1::text[])
