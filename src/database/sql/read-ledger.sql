-- read-ledger: the number up to which the batches of a lane were applied.
-- $1 lane, e.g. forebay:projects/3
-- {{ledger}} forebay's table
-- Returns no row, or one: batch (of a void batch the number before it, for nothing of it is in the rows).
SELECT (batch - is_void::int)::text AS batch FROM {{ledger}} WHERE lane = $1
