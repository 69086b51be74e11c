-- read-ledger: the number of the last batch of a lane that was applied.
-- $1 lane, e.g. forebay:projects/3
-- Returns no row, or one: batch.
SELECT batch::text AS batch FROM forebay_ledger WHERE lane = $1
