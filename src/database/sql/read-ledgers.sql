-- read-ledgers: the numbers of the last batches that were applied.
-- $1 lanes, e.g. {forebay:projects/3,forebay:tasks/0}
-- Returns a row for each lane that the ledger knows: lane, batch.
SELECT lane, batch::text AS batch FROM forebay_ledger WHERE lane = ANY($1::text[])
